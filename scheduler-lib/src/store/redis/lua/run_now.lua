-- Puts a job into the cursor's slot; one in flight is marked instead.
-- ARGV     2 revision, 3 id
-- Returns  1 done, -1 unknown
local id = ARGV[3]
local job = fetch(id)
if not job then return -1 end
local from, place = index_of(job), job.p
job.r = ARGV[2]
if job.p == 'f' then
  job.w = '1'
else
  if is_held(job.p) then job.k = '0' end
  job.p, job.d = 's', cursor * width
  because(job, '-', 'run now')
end
move(id, from, place, job)
return 1
