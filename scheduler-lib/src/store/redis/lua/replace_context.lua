-- Replaces a context by hand: a new incarnation, placed anew unless held.
-- ARGV     2 id, 3 and 4 times to be due, 5 incarnation, 6 context
-- Returns  1 done, -1 unknown
-- The token is spent before the context changes, so that no completion of the old life follows the new context.
local id = ARGV[2]
local job = fetch(id)
if not job then return -1 end
local from = index_of(job.p, job.d, job.e)
job.i, job.g, job.n, job.c, job.k, job.w, job.r = ARGV[5], 0, '-', 0, 0, 0, tonumber(job.r) + 1
if not is_held(job.p) then
  job.p, job.d = placed(emptier(tonumber(ARGV[3]), tonumber(ARGV[4]), from))
  job.y = 'context replaced'
end
move(id, from, job)
redis.call('SET', context_key(id), ARGV[6])
return 1
