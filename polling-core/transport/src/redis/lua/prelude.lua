-- Comes before every step of a queue that exists. All keys begin with KEYS[1], the settings, so they share its hash tag.
--
--   KEYS[1]            hash     visibility_ms, max_receives (0 none), dead_letter ('' none), capacity, swept
--   KEYS[1]:messages   stream   b body, s sent (only where that is not the time in the id); one consumer group
--   KEYS[1]:ranges     zset     first received id -> when it becomes visible, up to the next range's first
--   KEYS[1]:leases     zset     id -> when it becomes visible, of messages that have a deadline of their own
--   KEYS[1]:again      hash     id -> receives, of messages received more than once
--   KEYS[1]:wake       list     one token at most, for one who waits
--
-- A message is in the stream until it is acknowledged, and in the group's pending entries since its first receive. Nearly
-- all are acknowledged within their visibility timeout, so these have no key of their own: what one receive reads has
-- consecutive ids, and a range covers the receives of a moment. When it ends, those of its messages that are still
-- pending and have no lease get one that has ended.
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

-- Lets one who waits look. A token that nobody has taken yet will do.
local function wake(key)
  if redis.call('LLEN', key) == 0 then redis.call('RPUSH', key, '') end
end

-- The body of an entry, and when it was sent unless its id says so.
local function content_of(entry)
  local fields = entry[2]
  if #fields == 2 and fields[1] == 'b' then return fields[2], nil end
  local body, sent = '', nil
  for at = 1, #fields, 2 do
    if fields[at] == 'b' then body = fields[at + 1] end
    if fields[at] == 's' then sent = fields[at + 1] end
  end
  return body, sent
end

local function sent_of(entry)
  local _, sent = content_of(entry)
  return sent or string.match(entry[1], '^%d+')
end

-- Removes messages for good.
local function remove(ids)
  if #ids == 0 then return end
  redis.call('XDEL', MESSAGES, unpack(ids))
  redis.call('XACK', MESSAGES, GROUP, unpack(ids))
  redis.call('ZREM', LEASES, unpack(ids))
  redis.call('HDEL', AGAIN, unpack(ids))
end

-- Moves a message to the dead-letter queue. False if that has no room, or is gone: then it stays.
local function bury(id)
  if dead_letter == '' then return false end
  local key = string.match(KEYS[1], '^(.*:)[^:]*$') .. dead_letter
  local room = tonumber(redis.call('HGET', key, 'capacity') or 0) - redis.call('XLEN', key .. ':messages')
  if room <= 0 then return false end
  local entry = redis.call('XRANGE', MESSAGES, id, id)[1]
  if entry then
    redis.call('XADD', key .. ':messages', '*', 'b', (content_of(entry)), 's', sent_of(entry))
    wake(key .. ':wake')
  end
  remove({ id })
  return true
end

-- Gives a lease that has ended to each message of an ended range that is still pending and has none.
local function end_range(first, deadline)
  local following = redis.call('ZRANGE', RANGES, 1, 1)[1]
  local before = following and '(' .. string.gsub(following, '%(', '') or '+'
  local pending = redis.call('XPENDING', MESSAGES, GROUP, first, before, BATCH)
  local ids, ended = {}, {}
  for at, entry in ipairs(pending) do ids[at] = entry[1] end
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

-- Notes that the messages from `first` on become visible after the visibility timeout, at most a small part of it later.
local function cover(first, now)
  local newest = redis.call('ZRANGE', RANGES, -1, -1, 'WITHSCORES')
  if newest[2] and tonumber(newest[2]) >= now + visibility then return end
  redis.call('ZADD', RANGES, now + visibility + math.floor(visibility / SMALLEST_PART), first)
end

-- How often each message was received.
local function receives_of(ids)
  local counts = redis.call('HMGET', AGAIN, unpack(ids))
  for at = 1, #ids do counts[at] = tonumber(counts[at] or 1) end
  return counts
end
