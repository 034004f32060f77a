-- Holds jobs, wherever they are; their tokens stay valid.
-- ARGV     2 hold, 3 reason, 4.. pairs of id and nonce; with a nonce only a job in flight under it is held
-- Returns  one answer a job: 1 done, 0 unchanged, -1 unknown
local hold, reason, answers = ARGV[2], ARGV[3], {}
for at = 4, #ARGV, 2 do
  local id, nonce = ARGV[at], ARGV[at + 1]
  local job = redis.call('HMGET', job_key(id), 'p', 'd', 'e', 'r', 'n')
  local answer = 0
  if not job[1] then
    answer = -1
  elseif not is_held(job[1]) and (nonce == '' or (job[1] == 'f' and job[5] == nonce)) then
    move(id, index_of(job[1], job[2], job[3]), hold, job[2], { 'r', tonumber(job[4]) + 1 }, reason)
    answer = 1
  end
  answers[#answers + 1] = answer
end
return answers
