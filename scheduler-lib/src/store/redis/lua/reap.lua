-- Places jobs whose deadline in flight has passed into the next slot; their tokens stay valid.
-- ARGV     2 deadline, 3 limit
-- Returns  how many
-- Of a bucket that is due only in part, up to PART members chosen at random are looked at; the rest waits until the
-- whole bucket is due, less than a slot's width later.
local BUCKETS, PART = 100, 1000
local deadline, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
local due, reaped = (cursor + 1) * width, 0
local target = slot_key(cursor + 1)
local buckets = redis.call('ZRANGEBYSCORE', LEASES, '-inf', bucket_of(deadline), 'LIMIT', 0, BUCKETS)
for _, bucket in ipairs(buckets) do
  if reaped >= limit then break end
  local lease, ids = lease_key(bucket), {}
  local whole = tonumber(bucket) * width <= deadline
  for _, id in ipairs(redis.call('SRANDMEMBER', lease, whole and limit - reaped or PART)) do
    local job = redis.call('HMGET', job_key(id), 'p', 'e')
    if job[1] ~= 'f' or lease_key(bucket_of(tonumber(job[2]))) ~= lease then
      leave(lease, id)
    elseif tonumber(job[2]) <= deadline and reaped < limit then
      enter(target, id)
      leave(lease, id)
      ids[#ids + 1] = id
      reaped = reaped + 1
    end
  end
  write_entering()
  for _, id in ipairs(ids) do
    redis.call('HSET', job_key(id), 'p', 's', 'd', due, 'y', 'reaped: no completion came')
  end
  write_leaving()
  if redis.call('EXISTS', lease) == 0 then redis.call('ZREM', LEASES, bucket) end
end
return reaped
