-- KEYS[1]  an account, a hash: version, token, stored_by, lease_owner, lease_until, failures, cool_until, refused
-- KEYS[2]  the channel's token endpoint, a hash that exists while it fails: failures, cool_until, probe_owner, probe_until
-- ARGV[1]  the time, UTC ms, or '' for the server's; ARGV[2] the version that the caller has seen; ARGV[3] its nonce
-- All times are UTC ms. A field that is missing reads as 0, and as false where it is text.

local account, endpoint = KEYS[1], KEYS[2]

local function server_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local now_ms = tonumber(ARGV[1]) or server_ms()

-- Lua would write large numbers with an exponent.
local function digits(number) return string.format('%.0f', number) end

local function number(key, field) return tonumber(redis.call('HGET', key, field) or '0') or 0 end

-- How long the time in `field` is still ahead, 0 if it has come.
local function left_ms(key, field) return math.max(number(key, field) - now_ms, 0) end

-- Compared as text: a version has more digits than Lua's arithmetic likes.
local function is_newest(seen) return (redis.call('HGET', account, 'version') or '0') == seen end

-- How long another than `owner` holds the lease.
local function others_ms(key, lease, owner)
  if redis.call('HGET', key, lease .. '_owner') == owner then return 0 end
  return left_ms(key, lease .. '_until')
end

local function release(key, lease, owner)
  if redis.call('HGET', key, lease .. '_owner') == owner then
    redis.call('HDEL', key, lease .. '_owner', lease .. '_until')
  end
end

-- The probe's answer ends the endpoint's failures; another caller may have begun before they did.
local function endpoint_answered(owner)
  if redis.call('HGET', endpoint, 'probe_owner') == owner then redis.call('DEL', endpoint) end
end

-- A new version; all that belonged to the old one ends. By time, in µs, so that it grows even after the account was
-- forgotten. The token is written before anything is removed.
local function replace(token, owner)
  local version = digits(math.max(now_ms * 1000, number(account, 'version') + 1))
  redis.call('HSET', account, 'token', token, 'version', version, 'stored_by', owner)
  redis.call('HDEL', account, 'lease_owner', 'lease_until', 'failures', 'cool_until', 'refused')
  redis.call('PERSIST', account)
  return version
end
