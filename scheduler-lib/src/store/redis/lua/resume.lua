-- Places a held job anew, and clears its strikes.
-- ARGV     2 id, 3 and 4 times to be due
-- Returns  1 done, 0 unchanged, -1 unknown
local id = ARGV[2]
local job = redis.call('HMGET', job_key(id), 'p', 'r')
if not job[1] then return -1 end
if not is_held(job[1]) then return 0 end
local place, due = placed(emptier(tonumber(ARGV[3]), tonumber(ARGV[4])))
move(id, HELD, place, due, { 'k', 0, 'r', tonumber(job[2]) + 1 }, 'resumed')
return 1
