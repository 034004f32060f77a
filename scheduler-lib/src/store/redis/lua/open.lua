-- Creates the layout of an empty store, or reads that of an existing one. Runs without the prelude, behind evicting.lua.
-- KEYS[1]  the layout key
-- ARGV     1 version, 2 width, 3 channel, 4 shards, then 5 identity and 6 cursor, unless the key is only to tell how
--          many shards there are
-- Returns  version, width, channel, shards, identity; what is missing is ''
local FIELDS = { 'version', 'width_ms', 'channel', 'shards', 'identity' }
local refused = evicting()
if refused then return refused end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'width_ms', ARGV[2], 'channel', ARGV[3], 'shards', ARGV[4])
end
local found = redis.call('HMGET', KEYS[1], unpack(FIELDS))
for at in ipairs(FIELDS) do found[at] = found[at] or '' end
if ARGV[5] and found[5] == '' and found[4] == ARGV[4] then
  redis.call('HSET', KEYS[1], 'identity', ARGV[5], 'cursor', ARGV[6])
  found[5] = ARGV[5]
end
return found
