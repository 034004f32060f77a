-- ARGV[4]  the account's failures, this one included; ARGV[5] its cool-down, ms; ARGV[6] the code of a refusal, or ''
-- ARGV[7]  the endpoint's failures, this one included; ARGV[8] its cool-down, ms, or -1 if it is not to blame
-- ARGV[9]  how long failures of an account without a token are remembered beyond its cool-down, ms

local seen, owner = ARGV[2], ARGV[3]
local cool_ms, endpoint_ms, kept_ms = tonumber(ARGV[5]), tonumber(ARGV[8]), tonumber(ARGV[9])

-- The cool-down first, then the lease ends. A token that came meanwhile is not to blame.
if is_newest(seen) then
  redis.call('HSET', account, 'failures', ARGV[4], 'cool_until', digits(now_ms + cool_ms))
  if ARGV[6] ~= '' then
    redis.call('HSET', account, 'refused', ARGV[6])
  else
    redis.call('HDEL', account, 'refused')
  end
  if redis.call('HEXISTS', account, 'token') == 0 then redis.call('PEXPIRE', account, cool_ms + kept_ms) end
end
if endpoint_ms >= 0 then
  local failures = math.max(number(endpoint, 'failures'), tonumber(ARGV[7]))
  local until_ms = math.max(number(endpoint, 'cool_until'), now_ms + endpoint_ms)
  redis.call('HSET', endpoint, 'failures', digits(failures), 'cool_until', digits(until_ms))
  release(endpoint, 'probe', owner)
else
  endpoint_answered(owner)
end
release(account, 'lease', owner)
return {}
