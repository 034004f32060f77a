-- An error if this server, once full, would throw keys away.
local function evicting()
  local policy = string.match(redis.call('INFO', 'memory'), 'maxmemory_policy:(%S+)')
  if not policy or policy == 'noeviction' then return nil end
  return redis.error_reply('EVICTS ' .. policy)
end
