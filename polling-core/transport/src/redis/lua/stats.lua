-- Counts.
-- ARGV     1 how many of those that came back are looked at for the oldest
-- Returns  visible, in flight, age of the oldest visible in milliseconds (-1 none)
local now = now_ms()
end_ranges(now)
local pending, delivered = 0, '0-0'
for _, group in ipairs(redis.call('XINFO', 'GROUPS', MESSAGES)) do
  local fields = {}
  for at = 1, #group, 2 do fields[group[at]] = group[at + 1] end
  if fields.name == GROUP then pending, delivered = fields.pending, fields['last-delivered-id'] end
end
local back, oldest = redis.call('ZCOUNT', LEASES, '-inf', now), math.huge
local function look(entry)
  if entry then oldest = math.min(oldest, tonumber(sent_of(entry))) end
end
look(redis.call('XRANGE', MESSAGES, '(' .. delivered, '+', 'COUNT', 1)[1])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', now, 'LIMIT', 0, ARGV[1])) do
  look(redis.call('XRANGE', MESSAGES, id, id)[1])
end
local visible = redis.call('XLEN', MESSAGES) - pending + back
return { math.max(visible, 0), math.max(pending - back, 0), oldest < math.huge and math.max(now - oldest, 0) or -1 }
