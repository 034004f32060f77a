-- How many jobs are where, at one instant.
-- Returns  registered, in slots, in flight, later, held, open notes, cursor
local slots, in_flight = 0, 0
for slot = 0, SLOTS - 1 do slots = slots + redis.call('SCARD', slot_key(slot)) end
for _, bucket in ipairs(redis.call('ZRANGE', LEASES, 0, -1)) do
  in_flight = in_flight + redis.call('SCARD', lease_key(bucket))
end
return {
  redis.call('ZCARD', prefix .. 'ids'), slots, in_flight, redis.call('ZCARD', LATER), redis.call('SCARD', HELD),
  redis.call('ZCARD', prefix .. 'notes'), cursor,
}
