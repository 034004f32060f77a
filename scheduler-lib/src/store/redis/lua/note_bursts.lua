-- Notes polls that found more than they could fetch; the oldest make room.
-- ARGV     2 most to keep, then the bursts, oldest first
local bursts = prefix .. 'bursts'
for at = 3, #ARGV do redis.call('LPUSH', bursts, ARGV[at]) end
redis.call('LTRIM', bursts, 0, tonumber(ARGV[2]) - 1)
return 1
