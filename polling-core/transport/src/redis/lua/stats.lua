-- Counts.
-- ARGV     1 how many of those that came back are looked at for the oldest
-- Returns  visible, in flight, age of the oldest visible in milliseconds (-1 none)
local now = now_ms()
end_ranges(now)
local delivered = group()
local length, added = redis.call('XLEN', MESSAGES), nil
local stream = redis.call('XINFO', 'STREAM', MESSAGES)
for at = 1, #stream, 2 do if stream[at] == 'entries-added' then added = stream[at + 1] end end
-- Not known after somebody has deleted what nobody had received.
local new = math.min(delivered['entries-read'] and added - delivered['entries-read'] or delivered.lag or length, length)
local back, oldest = redis.call('ZCOUNT', LEASES, '-inf', now), math.huge
local function look(entry)
  if entry then oldest = math.min(oldest, tonumber(sent_of(entry))) end
end
look(redis.call('XRANGE', MESSAGES, '(' .. delivered['last-delivered-id'], '+', 'COUNT', 1)[1])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', now, 'LIMIT', 0, ARGV[1])) do
  look(redis.call('XRANGE', MESSAGES, id, id)[1])
end
return { new + back, math.max(length - new - back, 0), oldest < math.huge and math.max(now - oldest, 0) or -1 }
