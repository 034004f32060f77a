-- Creates a queue unless it exists. Runs without the prelude, behind evicting.lua.
-- KEYS[1]  the settings
-- ARGV     1 visibility_ms, 2 max_receives, 3 dead_letter, 4 capacity, 5 the dead-letter queue's settings ('' none)
-- Returns  the settings as they are: visibility_ms, max_receives, dead_letter, capacity
local refused = evicting()
if refused then return refused end
if redis.call('EXISTS', KEYS[1]) == 0 then
  if ARGV[5] ~= '' and redis.call('EXISTS', ARGV[5]) == 0 then
    return redis.error_reply('NOQUEUE its dead-letter queue ' .. ARGV[3] .. ' does not exist')
  end
  -- There already, if the settings alone were lost.
  redis.pcall('XGROUP', 'CREATE', KEYS[1] .. ':messages', 'polling', '0', 'MKSTREAM', 'ENTRIESREAD', 0)
  redis.call('HSET', KEYS[1], 'visibility_ms', ARGV[1], 'max_receives', ARGV[2], 'dead_letter', ARGV[3],
    'capacity', ARGV[4])
end
return redis.call('HMGET', KEYS[1], 'visibility_ms', 'max_receives', 'dead_letter', 'capacity')
