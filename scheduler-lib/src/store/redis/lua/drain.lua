-- Moves the cursor on over empty slots, then takes jobs out of its slot, each with a new token.
-- ARGV     2 now, 3 skew limit, 4 limit, 5 nonce, 6 the note's deadline, 7 most open notes, 8 default deadline,
--          9.. pairs of job type and deadline
-- Returns  cursor, 1 if there is more, the jobs: id, context, then fields and values, the later of two valid
-- The note comes before the leases, these before the records, the slot is left last. A job whose record was written is
-- in a lease and in the note; one whose record was not is still in its slot.
local STEPS, PROMOTIONS = 1000, 200
local now, limit, nonce = tonumber(ARGV[2]), tonumber(ARGV[4]), ARGV[5]
local refused = skewed(now, ARGV[3])
if refused then return refused end
if redis.call('ZCARD', prefix .. 'notes') >= tonumber(ARGV[7]) then return { cursor, 0, {} } end
local current = math.floor(now / width)

-- Brings into the ring what is within the cursor's reach. False if there may be more: then the cursor has to wait.
local function promote()
  local reach = (cursor + SLOTS - 1) * width
  local ids = redis.call('ZRANGEBYSCORE', LATER, '-inf', reach, 'LIMIT', 0, PROMOTIONS)
  local dues = {}
  for _, id in ipairs(ids) do
    local job = redis.call('HMGET', job_key(id), 'p', 'd')
    local place, due = 'gone', nil
    if job[1] == 'l' then place, due = placed(tonumber(job[2])) end
    if place == 's' then dues[id] = due end
    if place == 'l' then enter(LATER, id, due) else leave(LATER, id) end
    if dues[id] then enter(index_of('s', due), id) end
  end
  write_entering()
  for id, due in pairs(dues) do redis.call('HSET', job_key(id), 'p', 's', 'd', due) end
  write_leaving()
  return #ids < PROMOTIONS
end

-- Fewer steps than the ring has slots: what is promoted after them still lands ahead of the cursor.
local complete = promote()
if complete then
  local to = cursor
  while to < current and to - cursor < STEPS and redis.call('SCARD', slot_key(to)) == 0 do to = to + 1 end
  if to > cursor then
    cursor = to
    redis.call('HSET', KEYS[1], 'cursor', cursor)
    complete = promote()
  end
end

local deadlines = {}
for at = 9, #ARGV, 2 do deadlines[ARGV[at]] = ARGV[at + 1] end
local slot, jobs, written, ids = slot_key(cursor), {}, {}, {}
local found = cursor <= current and redis.call('SRANDMEMBER', slot, limit) or {}
for _, id in ipairs(found) do
  leave(slot, id)
  local fields, job = redis.call('HGETALL', job_key(id)), {}
  for at = 1, #fields, 2 do job[fields[at]] = fields[at + 1] end
  if job.p == 's' and slot_of(tonumber(job.d)) <= cursor then
    local deadline = deadlines[job.t] or ARGV[8]
    local bucket = bucket_of(tonumber(deadline))
    redis.call('ZADD', LEASES, 'NX', bucket, bucket)
    enter(lease_key(bucket), id)
    local changed = { 'g', tostring(tonumber(job.g) + 1), 'n', nonce, 'p', 'f', 'e', deadline, 'y', '' }
    ids[#ids + 1] = id
    written[#written + 1] = changed
    for _, value in ipairs(changed) do fields[#fields + 1] = value end
    jobs[#jobs + 1] = fields
  end
end
if #ids > 0 then
  redis.call('ZADD', prefix .. 'notes', ARGV[6], nonce)
  redis.call('SADD', prefix .. 'note:' .. nonce, unpack(ids))
  write_entering()
  local keys = {}
  for at, id in ipairs(ids) do
    redis.call('HSET', job_key(id), unpack(written[at]))
    keys[at] = context_key(id)
  end
  for at, context in ipairs(redis.call('MGET', unpack(keys))) do
    table.insert(jobs[at], 1, context)
    table.insert(jobs[at], 1, ids[at])
  end
end
write_leaving()
local more = not complete or cursor < current or (cursor == current and redis.call('SCARD', slot) > 0)
return { cursor, more and 1 or 0, jobs }
