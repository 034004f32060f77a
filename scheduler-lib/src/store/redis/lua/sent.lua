-- Strikes jobs off a note; an empty note is gone.
-- ARGV     2 nonce, 3.. ids
local note = prefix .. 'note:' .. ARGV[2]
if #ARGV > 2 then redis.call('SREM', note, unpack(ARGV, 3)) end
if redis.call('EXISTS', note) == 0 then redis.call('ZREM', prefix .. 'notes', ARGV[2]) end
return 1
