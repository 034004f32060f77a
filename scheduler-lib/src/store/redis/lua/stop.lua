-- Stops the channel, or lets it go on: see drain.
-- ARGV     2 reason; none lets it go on
-- Returns  1
if ARGV[2] then redis.call('HSET', KEYS[1], 'stopped', ARGV[2]) else redis.call('HDEL', KEYS[1], 'stopped') end
return 1
