-- Removes a job.
-- ARGV     2 id
-- Returns  1 done, -1 unknown
-- The record goes first: index entries without one count for nothing.
local id = ARGV[2]
local text = redis.call('HGET', part_of(id), id)
if not text then return -1 end
local job = parse(text)
redis.call('HDEL', part_of(id), id)
-- Without a readable record nobody knows its place; the sweep will.
if job then leave(id, index_of(job), job.p) end
write_leaving()
return 1
