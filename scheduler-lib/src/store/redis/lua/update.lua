-- Changes a job's rules, and places it anew if it waits in a slot or later.
-- ARGV     2 id, 3 and 4 times to be due, 5 level, 6 cushion ('-' none); '' leaves as it is
-- Returns  1 done, -1 unknown
local id = ARGV[2]
local job = fetch(id)
if not job then return -1 end
local from = index_of(job.p, job.d, job.e)
job.r = tonumber(job.r) + 1
if ARGV[5] ~= '' then job.l = ARGV[5] end
if ARGV[6] ~= '' then job.u = ARGV[6] end
if job.p == 's' or job.p == 'l' then
  job.p, job.d = placed(emptier(tonumber(ARGV[3]), tonumber(ARGV[4]), from))
  job.y = 'updated'
end
move(id, from, job)
return 1
