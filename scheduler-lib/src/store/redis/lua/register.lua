-- Creates a record and places it; an existing one is left as it is.
-- ARGV     2 now, 3 skew limit, 4 id, 5 and 6 times to be due, 7 context, 8 the record after its place and time
-- Returns  1 created, 0 existing
-- The record is written last: whatever came before it, without it the job does not exist, and the step can be repeated.
local refused = skewed(tonumber(ARGV[2]), ARGV[3])
if refused then return refused end
local id = ARGV[4]
if redis.call('EXISTS', job_key(id)) == 1 then return 0 end
local place, due = placed(emptier(tonumber(ARGV[5]), tonumber(ARGV[6])))
redis.call('SET', context_key(id), ARGV[7])
redis.call('ZADD', prefix .. 'ids', 0, id)
enter(index_of(place, due), id, due)
write_entering()
redis.call('SET', job_key(id), place .. ' ' .. due .. ' ' .. ARGV[8])
return 1
