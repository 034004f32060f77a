-- Creates records and places them; existing ones are left as they are.
-- ARGV     2 now, 3 skew limit, then 6 a job: id, two times to be due, context, the head after its place and time, and
--          the hold of one that is held, or ''
-- Returns  one letter a job: c created, e existing
-- A record is written last: whatever came before it, without it the job does not exist, and the step can be repeated.
local ARGUMENTS = 6
local refused = skewed(tonumber(ARGV[2]), ARGV[3])
if refused then return refused end
local answers = {}
for at = 4, #ARGV, ARGUMENTS do
  local id, part, answer = ARGV[at], part_of(ARGV[at]), 'e'
  if redis.call('HEXISTS', part, id) == 0 then
    local job = { p = ARGV[at + 5], d = ARGV[at + 1], g = 0 }
    if job.p == '' then job.p, job.d = placed(emptier(tonumber(job.d), tonumber(ARGV[at + 2]))) end
    enter(id, job)
    write_entering()
    local head = job.p .. ' ' .. job.d .. ' ' .. ARGV[at + 4]
    redis.call('HSET', part, id, #head .. ' ' .. head .. ARGV[at + 3])
    answer = 'c'
  end
  answers[#answers + 1] = answer
end
return table.concat(answers)
