-- Deletes messages, each unless it was received again since.
-- ARGV     1 how many were received once, 2.. their ids, then pairs of id and receives
local once, ids = tonumber(ARGV[1]), {}
if redis.call('EXISTS', LEASES, AGAIN) == 0 then
  -- Nothing was received again, or has a deadline of its own: nothing is pending.
  if once == 0 then return end
  redis.call('XDEL', MESSAGES, unpack(ARGV, 2, once + 1))
  return
end
local asked, receives = {}, {}
for at = 2, once + 1 do asked[#asked + 1], receives[#receives + 1] = ARGV[at], 1 end
for at = once + 2, #ARGV, 2 do asked[#asked + 1], receives[#receives + 1] = ARGV[at], tonumber(ARGV[at + 1]) end
if #asked == 0 then return end
for at, count in ipairs(receives_of(asked)) do
  if count == receives[at] then ids[#ids + 1] = asked[at] end
end
remove(ids)
