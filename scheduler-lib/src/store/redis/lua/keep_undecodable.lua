-- Keeps a message that nobody could decode; the oldest make room.
-- ARGV     2 message id, 3 the message, 4 most to keep
local ids, bodies = prefix .. 'undecodable', prefix .. 'undecodable:body'
if redis.call('HEXISTS', bodies, ARGV[2]) == 1 then return 0 end
redis.call('LPUSH', ids, ARGV[2])
redis.call('HSET', bodies, ARGV[2], ARGV[3])
while redis.call('LLEN', ids) > tonumber(ARGV[4]) do
  redis.call('HDEL', bodies, redis.call('RPOP', ids))
end
return 1
