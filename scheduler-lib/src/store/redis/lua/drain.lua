-- Moves the cursor on over empty slots, then takes jobs out of its slot, each with a new token.
-- ARGV     2 now, 3 skew limit, 4 limit, 5 nonce, 6 the note's deadline, 7 most open notes, 8 default deadline, 9 pace,
--          10.. pairs of job type and deadline
-- Returns  cursor, when the first was to be taken, 1 if there is more, the jobs' ids, records
-- The note comes before the leases, these before the records, the slot is left last. A job whose record was written is
-- in a lease and in the note; one whose record was not is still in its slot.
local STEPS, PROMOTIONS = 1000, 200
local now, limit, nonce = tonumber(ARGV[2]), tonumber(ARGV[4]), ARGV[5]
local refused = skewed(now, ARGV[3])
if refused then return refused end
if redis.call('ZCARD', prefix .. 'notes') >= tonumber(ARGV[7]) then return { cursor, now, 0, {}, {} } end
if redis.call('HEXISTS', KEYS[1], 'stopped') == 1 then return { cursor, now, 0, {}, {} } end
local current = math.floor(now / width)

-- Brings into the ring what is within the cursor's reach. False if there may be more: then the cursor has to wait.
local function promote()
  local reach = (cursor + SLOTS - 1) * width
  local ids = redis.call('ZRANGEBYSCORE', LATER, '-inf', reach, 'LIMIT', 0, PROMOTIONS)
  for at, text in ipairs(texts_of(ids)) do
    local id, job = ids[at], parse(text)
    local waits = job and job.p == 'l'
    if waits then
      job.p, job.d = placed(tonumber(job.d))
      enter(id, job)
      if job.p == 's' then save(id, job) end
    end
    -- An entry with a wrong time was just given the right one.
    if not (waits and job.p == 'l') then leave(id, LATER, 'l') end
  end
  write_entering()
  write_records()
  write_leaving()
  return #ids < PROMOTIONS
end

-- Fewer steps than the ring has slots: what is promoted after them still lands ahead of the cursor.
local complete = promote()
if complete then
  local to = cursor
  while to < current and to - cursor < STEPS and redis.call('LLEN', slot_key(to)) == 0 do to = to + 1 end
  if to > cursor then
    cursor = to
    redis.call('HSET', KEYS[1], 'cursor', cursor, 'slot_jobs', redis.call('LLEN', slot_key(cursor)))
    complete = promote()
  end
end

local deadlines = {}
for at = 10, #ARGV, 2 do deadlines[ARGV[at]] = ARGV[at + 1] end
local slot, ids, texts, seen, ends = slot_key(cursor), {}, {}, {}, {}
local next_of = kept(function(generation) return word(tonumber(generation) + 1) end)
local is_due = kept(function(due) return slot_of(tonumber(due)) <= cursor end)

-- How many the slot had when the cursor came, against how many are left, is how far the drain is. What has joined since
-- counts as not taken yet, and lies in front.
local pace, left = tonumber(ARGV[9]), redis.call('LLEN', slot)
local slot_jobs = tonumber(redis.call('HGET', KEYS[1], 'slot_jobs') or left)
local taken, allowed, due = math.max(0, slot_jobs - left), left, cursor * width
if pace > 0 and slot_jobs > 0 then
  local part = math.min(1, (now - due) / pace)
  allowed = math.floor(slot_jobs * part) + 1 - (slot_jobs - left)
  due = math.floor(due + pace * taken / slot_jobs)
end
limit = math.max(0, math.min(limit, allowed))
-- By the pace in order, else from either end: always from the same one, the last would starve behind a limit that
-- suffices for the first.
local from_end = pace == 0 and string.byte(nonce, -1) % 2 == 1
local found = {}
if cursor <= current and limit > 0 then
  found = redis.call('LRANGE', slot, from_end and -limit or 0, from_end and -1 or limit - 1)
end
for at, text in ipairs(texts_of(found)) do
  local id, job = found[at], parse(text)
  if job and job.p == 's' and is_due(job.d) and not seen[id] then
    seen[id] = true
    job.p, job.e, job.g, job.n = 'f', deadlines[job.t] or ARGV[8], next_of(job.g), nonce
    job.w = '0'
    ends[job.e] = bucket_of(tonumber(job.e))
    enter(id, job)
    ids[#ids + 1], texts[#texts + 1] = id, save(id, job)
  end
end
if #ids > 0 then
  redis.call('ZADD', prefix .. 'notes', ARGV[6], nonce)
  redis.call('SADD', prefix .. 'note:' .. nonce, unpack(ids))
  for _, bucket in pairs(ends) do redis.call('ZADD', LEASES, bucket, bucket) end
  write_entering()
  write_records()
end
if #found > 0 then redis.call('LTRIM', slot, from_end and 0 or #found, from_end and -#found - 1 or -1) end
local more = not complete or cursor < current or (cursor == current and math.min(left, allowed) > #found)
return { cursor, due, more and 1 or 0, ids, texts }
