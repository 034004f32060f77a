-- Creates records and places them; existing ones are left as they are.
-- ARGV     2 now, 3 skew limit, then 5 a job: id, two times to be due, context, the record after its place and time
-- Returns  one letter a job: c created, e existing
-- A record is written last: whatever came before it, without it the job does not exist, and the step can be repeated.
local ARGUMENTS = 5
local refused = skewed(tonumber(ARGV[2]), ARGV[3])
if refused then return refused end
local answers = {}
for at = 4, #ARGV, ARGUMENTS do
  local id, answer = ARGV[at], 'e'
  if redis.call('EXISTS', job_key(id)) == 0 then
    local place, due = placed(emptier(tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])))
    redis.call('SET', context_key(id), ARGV[at + 3])
    redis.call('ZADD', prefix .. 'ids', 0, id)
    enter(index_of(place, due), id, due)
    write_entering()
    redis.call('SET', job_key(id), place .. ' ' .. due .. ' ' .. ARGV[at + 4])
    answer = 'c'
  end
  answers[#answers + 1] = answer
end
return table.concat(answers)
