-- Receives messages: those that came back first, then new ones.
-- ARGV     1 consumer, 2 most messages
-- Returns  milliseconds until one in flight comes back (-1 none; 0 unless nothing was received),
--          pairs of id and body received for the first time, 5 of each other, and of each with a trace: id, body,
--          receives, sent ('' in the id), trace ('' none)
local consumer, max = ARGV[1], tonumber(ARGV[2])
local now = now_ms()
local fresh, others, received = {}, {}, 0
end_ranges(now)

local function add(id, body, receives, sent, trace)
  for _, value in ipairs({ id, body, receives, sent or '', trace or '' }) do others[#others + 1] = value end
end

local function take_back(ids, receives)
  if #ids == 0 then return end
  local leases, counts, gone = {}, {}, {}
  local count_of, claimed = {}, { unpack(ids) }
  claimed[#claimed + 1] = 'FORCE'
  for at, id in ipairs(ids) do count_of[id], gone[id] = receives[at] + 1, true end
  for _, entry in ipairs(redis.call('XCLAIM', MESSAGES, GROUP, consumer, 0, unpack(claimed))) do
    if entry then
      local id, body, sent, trace = entry[1], content_of(entry)
      gone[id] = nil
      leases[#leases + 1], leases[#leases + 2] = now + visibility, id
      counts[#counts + 1], counts[#counts + 2] = id, count_of[id]
      add(id, body, count_of[id], sent, trace)
      received = received + 1
    end
  end
  if #leases > 0 then
    redis.call('ZADD', LEASES, unpack(leases))
    redis.call('HSET', AGAIN, unpack(counts))
  end
  -- Deleted by hand.
  for id in pairs(gone) do remove({ id }) end
end

local ended = redis.call('ZRANGEBYSCORE', LEASES, '-inf', now, 'LIMIT', 0, max)
if #ended > 0 then
  though_full()
  local ids, receives = {}, {}
  for at, count in ipairs(receives_of(ended)) do
    local worn_out = max_receives > 0 and count >= max_receives
    if not (worn_out and bury(ended[at])) then
      ids[#ids + 1], receives[#receives + 1] = ended[at], count
    end
  end
  take_back(ids, receives)
end

if received < max then
  local read = redis.call('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', max - received, 'NOACK', 'STREAMS', MESSAGES, '>')
  if read then
    local entries = read[1][2]
    cover(entries[1][1], now)
    for _, entry in ipairs(entries) do
      local body, sent, trace = content_of(entry)
      if sent or trace then
        add(entry[1], body, 1, sent, trace)
      else
        fresh[#fresh + 1], fresh[#fresh + 2] = entry[1], body
      end
    end
    received = received + #entries
  end
end

if received == max then wake(WAKE) end
if received > 0 then return { 0, fresh, others } end
local range, lease = redis.call('ZRANGE', RANGES, 0, 0, 'WITHSCORES')[2], redis.call('ZRANGE', LEASES, 0, 0, 'WITHSCORES')[2]
local next = math.min(tonumber(range or math.huge), tonumber(lease or math.huge))
return { next < math.huge and math.max(next - now, 0) or -1, fresh, others }
