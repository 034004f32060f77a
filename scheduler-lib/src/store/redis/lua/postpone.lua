-- Places jobs that were drained and will not be sent; their tokens are spent.
-- ARGV     2 now, 3 skew limit, then 6 a job: id, incarnation, generation, nonce, time to be due, reason
-- Returns  how many were placed
-- The jobs' note stays: with the token spent, whoever claims it sends none of them.
local ARGUMENTS = 6
local refused = skewed(tonumber(ARGV[2]), ARGV[3])
if refused then return refused end
local spent, postponed = {}, 0

local function postpone(at, job)
  local id, from, place = ARGV[at], index_of(job), job.p
  spent[id] = true
  postponed = postponed + 1
  job.n = '-'
  if job.w == '1' then
    job.p, job.d, job.w = 's', word(cursor * width), '0'
    because(job, ARGV[2], 'run now')
  else
    job.p, job.d = placed(tonumber(ARGV[at + 4]))
    because(job, ARGV[2], ARGV[at + 5])
  end
  enter(id, job)
  save(id, job)
  leave(id, from, place)
end

local ids = {}
for at = 4, #ARGV, ARGUMENTS do ids[#ids + 1] = ARGV[at] end
for number, text in ipairs(texts_of(ids)) do
  local at, job = 4 + (number - 1) * ARGUMENTS, parse(text)
  local waits = job and job.p == 'f' and not spent[ids[number]]
  if waits and job.i == ARGV[at + 1] and job.g == ARGV[at + 2] and job.n == ARGV[at + 3] then postpone(at, job) end
end
write_entering()
write_records()
write_leaving()
return postponed
