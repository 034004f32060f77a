-- The messages that nobody could decode, newest first.
-- ARGV     2 limit, above 0
-- Returns  messages
local messages = {}
for _, id in ipairs(redis.call('LRANGE', prefix .. 'undecodable', 0, tonumber(ARGV[2]) - 1)) do
  messages[#messages + 1] = redis.call('HGET', prefix .. 'undecodable:body', id) or nil
end
return messages
