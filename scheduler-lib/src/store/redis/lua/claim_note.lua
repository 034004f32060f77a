-- Claims the oldest note past its deadline by moving the deadline.
-- ARGV     2 now, 3 skew limit, 4 new deadline
-- Returns  nothing, or the nonce and its jobs still in flight under it: ids, records
-- A note none of whose jobs is left is removed, from the list last: a listed note without jobs is removed likewise.
local refused = skewed(tonumber(ARGV[2]), ARGV[3])
if refused then return refused end
local notes = prefix .. 'notes'
local nonce = redis.call('ZRANGEBYSCORE', notes, '-inf', ARGV[2], 'LIMIT', 0, 1)[1]
if not nonce then return false end
redis.call('ZADD', notes, ARGV[4], nonce)
local members, ids, texts = redis.call('SMEMBERS', prefix .. 'note:' .. nonce), {}, {}
for at, text in ipairs(texts_of(members)) do
  local job = parse(text)
  if job and job.p == 'f' and job.n == nonce then
    ids[#ids + 1], texts[#texts + 1] = members[at], text
  end
end
if #ids == 0 then
  redis.call('DEL', prefix .. 'note:' .. nonce)
  redis.call('ZREM', notes, nonce)
end
return { nonce, ids, texts }
