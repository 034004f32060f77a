-- One of the messages that nobody could decode.
-- ARGV     2 message id
-- Returns  the message, or nothing
return redis.call('HGET', prefix .. 'undecodable:body', ARGV[2])
