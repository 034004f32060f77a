-- Places a held job anew, and clears its strikes.
-- ARGV     2 revision, 3 id, 4 and 5 times to be due
-- Returns  1 done, 0 unchanged, -1 unknown
local id = ARGV[3]
local job = fetch(id)
if not job then return -1 end
if not is_held(job.p) then return 0 end
local place = job.p
job.p, job.d = placed(emptier(tonumber(ARGV[4]), tonumber(ARGV[5])))
job.k, job.r = '0', ARGV[2]
because(job, '-', 'resumed')
move(id, HELD, place, job)
return 1
