-- Removes a job.
-- ARGV     2 id
-- Returns  1 done, -1 unknown
-- The record goes first: index entries without one count for nothing.
local id = ARGV[2]
local job = redis.call('HMGET', job_key(id), 'p', 'd', 'e')
if not job[1] then return -1 end
redis.call('DEL', job_key(id))
redis.call('DEL', context_key(id))
redis.call('ZREM', prefix .. 'ids', id)
leave(index_of(job[1], job[2], job[3]), id)
write_leaving()
return 1
