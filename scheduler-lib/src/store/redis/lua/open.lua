-- Creates the layout of an empty store, or reads that of an existing one. Runs without the prelude, behind evicting.lua.
-- KEYS[1]  the layout key
-- ARGV     1 version, 2 width, 3 channel, 4 identity, 5 cursor
-- Returns  version, width, channel, identity, cursor
local refused = evicting()
if refused then return refused end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'width_ms', ARGV[2], 'channel', ARGV[3], 'identity', ARGV[4],
    'cursor', ARGV[5])
end
return redis.call('HMGET', KEYS[1], 'version', 'width_ms', 'channel', 'identity', 'cursor')
