-- Removes consumers that are gone, and finds messages that were received past these steps, by hand.
-- ARGV     1 consumer, 2 milliseconds without a sign of life, 3 messages to look at, in hundreds
-- Returns  consumers removed, messages found
local now, removed, found = now_ms(), 0, 0
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', MESSAGES, GROUP)) do
  local fields = {}
  for at = 1, #consumer, 2 do fields[consumer[at]] = consumer[at + 1] end
  if fields.pending == 0 and fields.idle > tonumber(ARGV[2]) and fields.name ~= ARGV[1] then
    redis.call('XGROUP', 'DELCONSUMER', MESSAGES, GROUP, fields.name)
    removed = removed + 1
  end
end
-- What was received before the oldest range has a lease.
local oldest = redis.call('ZRANGE', RANGES, 0, 0)[1]
local last = oldest and '(' .. string.gsub(oldest, '%(', '') or group()['last-delivered-id']
local from = redis.call('HGET', KEYS[1], 'swept') or '-'
for _ = 1, tonumber(ARGV[3]) do
  local ids = {}
  for at, entry in ipairs(redis.call('XRANGE', MESSAGES, from, last, 'COUNT', 100)) do ids[at] = entry[1] end
  for at, score in ipairs(#ids > 0 and redis.call('ZMSCORE', LEASES, unpack(ids)) or {}) do
    if not score then
      redis.call('ZADD', LEASES, now + visibility, ids[at])
      found = found + 1
    end
  end
  from = #ids == 100 and '(' .. ids[100] or '-'
  if from == '-' then break end
end
redis.call('HSET', KEYS[1], 'swept', from)
return { removed, found }
