-- The polls that found more than they could fetch, newest first.
-- ARGV     2 limit, above 0
-- Returns  bursts
return redis.call('LRANGE', prefix .. 'bursts', 0, tonumber(ARGV[2]) - 1)
