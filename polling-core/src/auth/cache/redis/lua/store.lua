-- ARGV[4]  the token

local seen, owner, token = ARGV[2], ARGV[3], ARGV[4]

endpoint_answered(owner)
if is_newest(seen) then return {replace(token, owner)} end
release(account, 'lease', owner)
-- A repeat of what was done, whose answer was lost.
if redis.call('HGET', account, 'stored_by') == owner then return {redis.call('HGET', account, 'version')} end
return {'superseded'}
