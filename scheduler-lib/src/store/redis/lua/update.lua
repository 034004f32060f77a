-- Changes a job's rules, and places it anew if it waits in a slot or later and would come sooner.
-- ARGV     2 revision, 3 id, 4 and 5 times to be due, 6 level, 7 cushion, 8 pace ('-' none); '' leaves as it is
-- Returns  1 done, -1 unknown
local id = ARGV[3]
local job = fetch(id)
if not job then return -1 end
local from, place = index_of(job), job.p
job.r = ARGV[2]
if ARGV[6] ~= '' then job.l = ARGV[6] end
if ARGV[7] ~= '' then job.u = ARGV[7] end
if ARGV[8] ~= '' then job.o = ARGV[8] end
if job.p == 's' or job.p == 'l' then
  place_edited(job, tonumber(ARGV[4]), tonumber(ARGV[5]), from)
  because(job, '-', 'its level, cushion or pace was changed')
end
move(id, from, place, job)
return 1
