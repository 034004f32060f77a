-- Removes consumers that are gone, and finds messages that were received past these scripts, by hand.
-- ARGV     1 consumer, 2 milliseconds without a sign of life, 3 pending entries to look at, in hundreds
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
-- Whatever no script has touched for so long has ended, unless it has a lease.
local untouched = 2 * visibility + 1000
local from = redis.call('HGET', KEYS[1], 'swept') or '0-0'
for _ = 1, tonumber(ARGV[3]) do
  local claimed = redis.call('XAUTOCLAIM', MESSAGES, GROUP, ARGV[1], untouched, from, 'COUNT', 10, 'JUSTID')
  from = claimed[1]
  if #claimed[2] > 0 then
    for at, score in ipairs(redis.call('ZMSCORE', LEASES, unpack(claimed[2]))) do
      if not score then
        redis.call('ZADD', LEASES, now, claimed[2][at])
        found = found + 1
      end
    end
  end
  if from == '0-0' then break end
end
redis.call('HSET', KEYS[1], 'swept', from)
if found > 0 then wake(WAKE) end
return { removed, found }
