-- Puts a job into the cursor's slot; one in flight is marked instead.
-- ARGV     2 id
-- Returns  1 done, -1 unknown
local id = ARGV[2]
local job = redis.call('HMGET', job_key(id), 'p', 'd', 'e', 'r')
if not job[1] then return -1 end
local revision = tonumber(job[4]) + 1
if job[1] == 'f' then
  redis.call('HSET', job_key(id), 'w', 1, 'r', revision)
else
  move(id, index_of(job[1], job[2], job[3]), 's', cursor * width, { 'r', revision }, 'run now')
end
return 1
