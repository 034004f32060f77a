-- Places jobs that were drained and will not be sent; their tokens are spent.
-- ARGV     2 now, 3 skew limit, then 6 a job: id, incarnation, generation, nonce, time to be due, reason
-- Returns  how many were placed
-- The jobs' note stays: with the token spent, whoever claims it sends none of them.
local ARGUMENTS = 6
local refused = skewed(tonumber(ARGV[2]), ARGV[3])
if refused then return refused end
local spent, written, postponed = {}, {}, 0

local function postpone(at, job)
  local id, from = ARGV[at], index_of(job.p, job.d, job.e)
  spent[id] = true
  postponed = postponed + 1
  job.n = '-'
  if job.w == '1' then
    job.p, job.d, job.w = 's', cursor * width, 0
    because(job, ARGV[2], 'run now')
  else
    job.p, job.d = placed(tonumber(ARGV[at + 4]))
    because(job, ARGV[2], ARGV[at + 5])
  end
  enter(index_of(job.p, job.d), id, job.d)
  leave(from, id)
  written[#written + 1], written[#written + 2] = job_key(id), text_of(job)
end

local ids = {}
for at = 4, #ARGV, ARGUMENTS do ids[#ids + 1] = ARGV[at] end
for number, text in ipairs(values_of(job_key, ids)) do
  local at, job = 4 + (number - 1) * ARGUMENTS, parse(text)
  local waits = job and job.p == 'f' and not spent[ids[number]]
  if waits and job.i == ARGV[at + 1] and job.g == ARGV[at + 2] and job.n == ARGV[at + 3] then postpone(at, job) end
end
write_entering()
if #written > 0 then redis.call('MSET', unpack(written)) end
write_leaving()
return postponed
