-- Comes before every step of a queue that exists. All keys begin with KEYS[1], the settings, so they share its hash tag.
--
--   KEYS[1]            hash     visibility_ms, max_receives (0 none), dead_letter ('' none), capacity, swept
--   KEYS[1]:messages   stream   b body, s sent (only where that is not the time in the id), t trace (if any); one consumer group
--   KEYS[1]:ranges     zset     first received id -> when it becomes visible, up to the next range's first
--   KEYS[1]:leases     zset     id -> when it becomes visible, of messages that have a deadline of their own
--   KEYS[1]:again      hash     id -> receives, of messages received more than once
--   KEYS[1]:wake       list     one token at most, for one who waits
--
-- A message is in the stream until it is acknowledged, and in flight once the group's cursor has passed it. Nearly all are
-- acknowledged within their visibility timeout, so these have no key of their own, and no pending entry: what one receive
-- reads has consecutive ids, and a range covers the receives of a moment. When it ends, those of its messages that are
-- still there and have no lease get one that has ended. A pending entry has what was extended or received again.
--
-- A script that fails keeps what it wrote. So a message enters the dead-letter queue before it leaves this one, and is
-- deleted from the stream before its entry is: a pending entry without a message is dropped by whoever meets it.
local GROUP, BATCH, MAX_RANGES, SMALLEST_PART = 'polling', 256, 16, 64
local set = redis.call('HMGET', KEYS[1], 'visibility_ms', 'max_receives', 'dead_letter', 'capacity')
if not set[1] then return redis.error_reply('NOQUEUE ' .. KEYS[1] .. ' does not exist') end
local visibility, max_receives, dead_letter, capacity = tonumber(set[1]), tonumber(set[2]), set[3], tonumber(set[4])
local MESSAGES, RANGES, LEASES = KEYS[1] .. ':messages', KEYS[1] .. ':ranges', KEYS[1] .. ':leases'
local AGAIN, WAKE = KEYS[1] .. ':again', KEYS[1] .. ':wake'

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The group: last-delivered-id, entries-read, among others.
local function group()
  for _, fields in ipairs(redis.call('XINFO', 'GROUPS', MESSAGES)) do
    local found = {}
    for at = 1, #fields, 2 do found[fields[at]] = fields[at + 1] end
    if found.name == GROUP then return found end
  end
  error({ err = 'NOGROUP ' .. MESSAGES .. ' has no group ' .. GROUP })
end

-- Gives a lease that has ended to each message of an ended range that is still there and has none.
local function end_range(first, deadline)
  local following = redis.call('ZRANGE', RANGES, 1, 1)[1]
  local last = following and '(' .. string.gsub(following, '%(', '') or group()['last-delivered-id']
  local ids, ended = {}, {}
  for at, entry in ipairs(redis.call('XRANGE', MESSAGES, first, last, 'COUNT', BATCH)) do ids[at] = entry[1] end
  if #ids > 0 then
    for at, score in ipairs(redis.call('ZMSCORE', LEASES, unpack(ids))) do
      if not score then ended[#ended + 1], ended[#ended + 2] = deadline, ids[at] end
    end
    if #ended > 0 then redis.call('ZADD', LEASES, unpack(ended)) end
  end
  if #ids == BATCH then redis.call('ZADD', RANGES, deadline, '(' .. ids[#ids]) end
  redis.call('ZREM', RANGES, first)
  return #ids
end

-- A server that is full lets a script go on that has written something. What follows makes room sooner or later.
local function though_full() redis.call('ZREM', LEASES, '') end

-- Ends ranges whose time has come, no more than one script should.
local function end_ranges(now)
  local found = 0
  for _ = 1, MAX_RANGES do
    local oldest = redis.call('ZRANGE', RANGES, 0, 0, 'WITHSCORES')
    if not oldest[1] or tonumber(oldest[2]) > now or found >= BATCH then return end
    though_full()
    found = found + end_range(oldest[1], oldest[2])
  end
end

-- Whether what is read now becomes visible in time, and not early.
local function is_covered(now)
  local newest = redis.call('ZRANGE', RANGES, -1, -1, 'WITHSCORES')
  return newest[2] and tonumber(newest[2]) >= now + visibility
end

-- Notes that the messages from `first` on become visible after the visibility timeout, at most a small part of it later.
local function cover(first, now)
  if is_covered(now) then return end
  redis.call('ZADD', RANGES, now + visibility + math.floor(visibility / SMALLEST_PART), first)
end
