-- Ids in order.
-- ARGV     2 the first is after this, '' for the very first, 3 limit
-- Returns  ids
local from = ARGV[2] == '' and '-' or '(' .. ARGV[2]
return redis.call('ZRANGEBYLEX', prefix .. 'ids', from, '+', 'LIMIT', 0, tonumber(ARGV[3]))
