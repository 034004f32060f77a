-- Places jobs whose deadline in flight has passed into the next slot; their tokens stay valid.
-- ARGV     2 now, 3 skew limit, 4 deadline, 5 limit
-- Returns  how many
-- Of a bucket that is due only in part, up to PART members chosen at random are looked at; the rest waits until the
-- whole bucket is due, less than a slot's width later.
local BUCKETS, PART = 100, 400
local refused = skewed(tonumber(ARGV[2]), ARGV[3])
if refused then return refused end
local deadline, limit = tonumber(ARGV[4]), tonumber(ARGV[5])
local due, reaped = word((cursor + 1) * width), 0
local buckets = redis.call('ZRANGEBYSCORE', LEASES, '-inf', bucket_of(deadline), 'LIMIT', 0, BUCKETS)
for _, bucket in ipairs(buckets) do
  if reaped >= limit then break end
  local lease = lease_key(bucket)
  local whole = tonumber(bucket) * width <= deadline
  local members = redis.call('SRANDMEMBER', lease, whole and limit - reaped or PART)
  for at, text in ipairs(texts_of(members)) do
    local id, job = members[at], parse(text)
    local confirmed = job and job.p == 'f' and index_of(job) == lease
    local reap = confirmed and tonumber(job.e) <= deadline and reaped < limit
    if reap then
      job.p, job.d = 's', due
      because(job, ARGV[2], 'no answer came in time: polled again')
      enter(id, job)
      save(id, job)
      reaped = reaped + 1
    end
    if reap or not confirmed then leave(id, lease, 'f') end
  end
  write_entering()
  write_records()
  write_leaving()
  if redis.call('EXISTS', lease) == 0 then redis.call('ZREM', LEASES, bucket) end
end
return reaped
