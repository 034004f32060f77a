-- Adds messages, the first of them if not all have room.
-- ARGV     bodies
-- Returns  how many were added
local added = math.min(#ARGV, capacity - redis.call('XLEN', MESSAGES))
for at = 1, added do redis.call('XADD', MESSAGES, '*', 'b', ARGV[at]) end
if added > 0 then wake(WAKE) end
return math.max(added, 0)
