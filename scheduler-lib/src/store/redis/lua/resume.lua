-- Places a held job anew, and clears its strikes.
-- ARGV     2 id, 3 and 4 times to be due
-- Returns  1 done, 0 unchanged, -1 unknown
local id = ARGV[2]
local job = fetch(id)
if not job then return -1 end
if not is_held(job.p) then return 0 end
job.p, job.d = placed(emptier(tonumber(ARGV[3]), tonumber(ARGV[4])))
job.k, job.r, job.y = 0, tonumber(job.r) + 1, 'resumed'
move(id, HELD, job)
return 1
