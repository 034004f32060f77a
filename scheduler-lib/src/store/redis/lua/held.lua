-- Held jobs.
-- ARGV     2 scan cursor, 3 about how many
-- Returns  the next scan cursor ('0' after the last), ids, records; nil where there is none
local page = redis.call('SSCAN', HELD, ARGV[2], 'COUNT', ARGV[3])
return { page[1], page[2], texts_of(page[2]) }
