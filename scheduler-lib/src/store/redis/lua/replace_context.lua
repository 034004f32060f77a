-- Replaces a context by hand: a new incarnation, placed anew unless held.
-- ARGV     2 revision, 3 id, 4 and 5 times to be due, 6 incarnation, 7 context
-- Returns  1 done, -1 unknown
local id = ARGV[3]
local job = fetch(id)
if not job then return -1 end
local from, place = index_of(job), job.p
job.i, job.g, job.n, job.c, job.k, job.w, job.r = ARGV[6], '0', '-', '0', '0', '0', ARGV[2]
job.context = ARGV[7]
if not is_held(job.p) then
  place_edited(job, tonumber(ARGV[4]), tonumber(ARGV[5]), from)
  because(job, '-', 'context replaced')
end
move(id, from, place, job)
return 1
