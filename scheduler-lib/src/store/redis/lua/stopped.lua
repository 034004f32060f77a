-- Why the channel is stopped.
-- Returns  the reason, or nothing
return redis.call('HGET', KEYS[1], 'stopped')
