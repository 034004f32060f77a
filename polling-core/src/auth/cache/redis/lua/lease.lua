-- ARGV[4]  how long the lease lives, ms

local seen, owner, life_ms = ARGV[2], ARGV[3], tonumber(ARGV[4])

if not is_newest(seen) then return {'changed'} end

-- A refusal of the account is over when its cool-down is; the endpoint's may last longer.
local own_ms = left_ms(account, 'cool_until')
local cooling_ms = math.max(own_ms, left_ms(endpoint, 'cool_until'))
if cooling_ms > 0 then
  local refused = own_ms > 0 and redis.call('HGET', account, 'refused')
  return {'cooling', digits(cooling_ms), refused or ''}
end
-- A lease that is one's own is granted again: its answer was lost.
local leased_ms = others_ms(account, 'lease', owner)
if leased_ms > 0 then return {'busy', digits(leased_ms)} end
local probed_ms = others_ms(endpoint, 'probe', owner)
if probed_ms > 0 then return {'busy', digits(probed_ms)} end

if redis.call('EXISTS', endpoint) == 1 then
  redis.call('HSET', endpoint, 'probe_owner', owner, 'probe_until', digits(now_ms + life_ms))
end
redis.call('HSET', account, 'lease_owner', owner, 'lease_until', digits(now_ms + life_ms))
-- An account without a token is not remembered for longer than its lease, unless it fails.
if redis.call('HEXISTS', account, 'token') == 0 and redis.call('PTTL', account) < life_ms then
  redis.call('PEXPIRE', account, life_ms)
end
return {'granted', digits(number(account, 'failures')), digits(number(endpoint, 'failures'))}
