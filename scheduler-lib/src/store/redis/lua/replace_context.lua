-- Replaces a context by hand: a new incarnation, placed anew unless held.
-- ARGV     2 id, 3 and 4 times to be due, 5 incarnation, 6 context
-- Returns  1 done, -1 unknown
-- The token is spent before the context changes, so that no completion of the old life follows the new context.
local id = ARGV[2]
local job = redis.call('HMGET', job_key(id), 'p', 'd', 'e', 'r')
if not job[1] then return -1 end
local fields = { 'i', ARGV[5], 'g', 0, 'n', '', 'c', 0, 'k', 0, 'w', 0, 'r', tonumber(job[4]) + 1 }
if is_held(job[1]) then
  redis.call('HSET', job_key(id), unpack(fields))
else
  local from = index_of(job[1], job[2], job[3])
  local place, due = placed(emptier(tonumber(ARGV[3]), tonumber(ARGV[4]), from))
  move(id, from, place, due, fields, 'context replaced')
end
redis.call('SET', context_key(id), ARGV[6])
return 1
