-- Behind evicting.lua. Whether the server takes writes, and keeps what it has.
-- Returns  1
-- INFO from inside the script is that of the node which has the store, and needs no right to CONFIG.
local refused = evicting()
if refused then return refused end
redis.call('HSET', KEYS[1], 'checked', 1)
return 1
