-- Keeps a message that nobody could decode no longer. Without its body it is told to nobody, so that goes last.
-- ARGV     2 message id
-- Returns  1 done, 0 not kept
redis.call('LREM', prefix .. 'undecodable', 1, ARGV[2])
return redis.call('HDEL', prefix .. 'undecodable:body', ARGV[2])
