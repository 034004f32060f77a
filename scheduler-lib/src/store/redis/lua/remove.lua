-- Removes a job.
-- ARGV     2 id
-- Returns  1 done, -1 unknown
-- The record goes first: index entries without one count for nothing.
local id = ARGV[2]
local text = redis.call('GET', job_key(id))
if not text then return -1 end
local job = parse(text)
redis.call('DEL', job_key(id))
redis.call('DEL', context_key(id))
redis.call('ZREM', prefix .. 'ids', id)
-- Without a readable record nobody knows its place; the sweep will.
if job then leave(index_of(job.p, job.d, job.e), id) end
write_leaving()
return 1
