-- Claims the oldest note past its deadline by moving the deadline.
-- ARGV     2 now, 3 skew limit, 4 new deadline
-- Returns  nothing, or the nonce and its jobs still in flight under it: id, context, fields and values
-- A note none of whose jobs is left is removed, from the list last: a listed note without jobs is removed likewise.
local refused = skewed(tonumber(ARGV[2]), ARGV[3])
if refused then return refused end
local notes = prefix .. 'notes'
local nonce = redis.call('ZRANGEBYSCORE', notes, '-inf', ARGV[2], 'LIMIT', 0, 1)[1]
if not nonce then return false end
redis.call('ZADD', notes, ARGV[4], nonce)
local jobs = {}
for _, id in ipairs(redis.call('SMEMBERS', prefix .. 'note:' .. nonce)) do
  local job = redis.call('HMGET', job_key(id), 'p', 'n')
  if job[1] == 'f' and job[2] == nonce then
    local entry = { id, redis.call('GET', context_key(id)) }
    for _, value in ipairs(redis.call('HGETALL', job_key(id))) do entry[#entry + 1] = value end
    jobs[#jobs + 1] = entry
  end
end
if #jobs == 0 then
  redis.call('DEL', prefix .. 'note:' .. nonce)
  redis.call('ZREM', notes, nonce)
end
return { nonce, jobs }
