-- How many jobs are in each slot.
-- Returns  cursor, one number for each slot from the cursor's on
local jobs = {}
for slot = cursor, cursor + SLOTS - 1 do jobs[#jobs + 1] = redis.call('LLEN', slot_key(slot)) end
return { cursor, jobs }
