-- Adds messages, the first of them if not all have room.
-- ARGV     1 values of each: 1 body, or 2 body and trace ('' none); then these
-- Returns  how many were added
local each = tonumber(ARGV[1])
local added = math.min((#ARGV - 1) / each, capacity - redis.call('XLEN', MESSAGES))
for at = 2, added * each + 1, each do
  local trace = each == 2 and ARGV[at + 1] or ''
  if trace == '' then
    redis.call('XADD', MESSAGES, '*', 'b', ARGV[at])
  else
    redis.call('XADD', MESSAGES, '*', 'b', ARGV[at], 't', trace)
  end
end
if added > 0 then wake(WAKE) end
return math.max(added, 0)
