-- Places a job that waits at another time.
-- ARGV     2 revision, 3 id, 4 the time to be due, 5 reason
-- Returns  1 done, 0 unchanged, -1 unknown
local id = ARGV[3]
local job = fetch(id)
if not job then return -1 end
if job.p ~= 's' and job.p ~= 'l' then return 0 end
local from, place = index_of(job), job.p
job.p, job.d = placed(tonumber(ARGV[4]))
job.r = ARGV[2]
because(job, '-', ARGV[5])
move(id, from, place, job)
return 1
