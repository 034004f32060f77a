-- Prepares for new messages to be read by the command that follows: covers them. Runs behind the prelude.
-- Returns  milliseconds until one in flight comes back (-1 none), whether one has
local now = now_ms()
end_ranges(now)
local lease = tonumber(redis.call('ZRANGE', LEASES, 0, 0, 'WITHSCORES')[2])
if redis.call('XLEN', MESSAGES) > 0 and not is_covered(now) then
  local ms, number = string.match(group()['last-delivered-id'], '^(%d+)-(%d+)$')
  though_full()
  cover(string.format('%s-%.0f', ms, number + 1), now)
end
local range = tonumber(redis.call('ZRANGE', RANGES, 0, 0, 'WITHSCORES')[2])
local next = math.min(range or math.huge, lease or math.huge)
return { next < math.huge and math.max(next - now, 0) or -1, lease and lease <= now and 1 or 0 }
