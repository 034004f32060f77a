-- Holds jobs, wherever they are; their tokens stay valid.
-- ARGV     2 revision, 3 hold, 4 reason, 5.. pairs of id and nonce; with a nonce only a job in flight under it is held
-- Returns  one answer a job: 1 done, 0 unchanged, -1 unknown
local answers = {}
for at = 5, #ARGV, 2 do
  local id, nonce = ARGV[at], ARGV[at + 1]
  local job, answer = fetch(id), 0
  if not job then
    answer = -1
  elseif not is_held(job.p) and (nonce == '' or (job.p == 'f' and job.n == nonce)) then
    local from, place = index_of(job), job.p
    job.p, job.r = ARGV[3], ARGV[2]
    because(job, '-', ARGV[4])
    move(id, from, place, job)
    answer = 1
  end
  answers[#answers + 1] = answer
end
return answers
