-- How many jobs are where, at one instant. What is in no other place is in a slot.
-- Returns  registered, in slots, in flight, later, held, open notes, cursor
local registered, in_flight = 0, 0
for part = 0, PARTS - 1 do registered = registered + redis.call('HLEN', part_key(part)) end
for _, bucket in ipairs(redis.call('ZRANGE', LEASES, 0, -1)) do
  in_flight = in_flight + redis.call('SCARD', lease_key(bucket))
end
local later, held = redis.call('ZCARD', LATER), redis.call('SCARD', HELD)
local slots = math.max(0, registered - in_flight - later - held)
return { registered, slots, in_flight, later, held, redis.call('ZCARD', prefix .. 'notes'), cursor }
