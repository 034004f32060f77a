-- Comes before every step. All keys share the hash tag of KEYS[1], so a script runs on one node of a cluster.
--
-- KEYS[1]  the layout key            ARGV[1]  the identity it had when the store was opened
-- A step on a store that was wiped, or created anew by somebody else, answers WIPED and changes nothing.
--
-- A record is the hash job:<id>, small enough for a listpack:
--   a account, t type, l level, u cushion ('' = none), i incarnation, g generation, n nonce ('' = spent), r revision,
--   p place, d due, e deadline in flight, c attempts, k strikes, w run now, s settled, y y1 y2 y3 reason.
-- Places and their indexes:
--   s  slot:<slot mod 1440>         set       f  lease:<ceil(deadline / width)>  set, each listed in the zset leases
--   l  later                        zset      p k q x (the holds)  held          set
--
-- A script that fails keeps what it wrote. So each move enters the new index first, then writes the record, then
-- leaves the old index: a job is never without a place, and an entry that the record does not confirm counts for nothing.
local layout = redis.call('HMGET', KEYS[1], 'identity', 'width_ms', 'cursor')
if layout[1] ~= ARGV[1] then return redis.error_reply('WIPED the layout key is gone') end
local prefix = string.sub(KEYS[1], 1, -7)
local width, cursor = tonumber(layout[2]), tonumber(layout[3])
local SLOTS, REASON_PART = 1440, 64
local LATER, HELD, LEASES = prefix .. 'later', prefix .. 'held', prefix .. 'leases'

local function job_key(id) return prefix .. 'job:' .. id end
local function context_key(id) return prefix .. 'ctx:' .. id end
local function slot_key(slot) return prefix .. 'slot:' .. slot % SLOTS end
local function slot_of(due) return math.ceil(due / width) end
local function bucket_of(deadline) return math.ceil(deadline / width) end
local function lease_key(bucket) return prefix .. 'lease:' .. bucket end
local function is_held(place) return place == 'p' or place == 'k' or place == 'q' or place == 'x' end

-- The key that indexes a place.
local function index_of(place, due, deadline)
  if place == 's' then return slot_key(slot_of(tonumber(due))) end
  if place == 'f' then return lease_key(bucket_of(tonumber(deadline))) end
  if place == 'l' then return LATER end
  return HELD
end

-- Where a job due at `due` goes: only the slots after the cursor, up to a ring's length, can take it.
local function placed(due)
  local slot = slot_of(due)
  if slot > cursor + SLOTS - 1 then return 'l', due end
  if slot <= cursor then return 's', (cursor + 1) * width end
  return 's', due
end

-- Of two times to be due the one whose slot is emptier; `own` is the index that the job is about to leave.
local function emptier(first, second, own)
  local function jobs_at(due)
    local place, at = placed(due)
    if place == 'l' then return nil end
    local key = index_of('s', at)
    return redis.call('SCARD', key) - (key == own and 1 or 0)
  end
  local at_first, at_second = jobs_at(first), jobs_at(second)
  if at_first and at_second and at_second < at_first then return second end
  return first
end

-- Index entries to add and to remove, one command for each index.
local entering, leaving = {}, {}
local function note_entry(batches, key, id, due)
  local batch = batches[key] or {}
  batches[key] = batch
  if due then batch[#batch + 1] = due end
  batch[#batch + 1] = id
end
local function enter(key, id, due) note_entry(entering, key, id, key == LATER and due or nil) end
local function leave(key, id) note_entry(leaving, key, id) end
local function write_entries(batches, to_set, to_zset)
  for key, members in pairs(batches) do
    redis.call(key == LATER and to_zset or to_set, key, unpack(members))
    batches[key] = nil
  end
end
local function write_entering() write_entries(entering, 'SADD', 'ZADD') end
local function write_leaving() write_entries(leaving, 'SREM', 'ZREM') end

-- Appends a reason. Values over 64 bytes would cost the record its listpack, so a reason is cut into parts; readers
-- join them while a part is full, so that parts of a longer, older reason do not matter.
local function append_reason(fields, reason)
  local names = { 'y', 'y1', 'y2', 'y3' }
  for part = 1, (#reason < REASON_PART) and 1 or #names do
    fields[#fields + 1] = names[part]
    fields[#fields + 1] = string.sub(reason, (part - 1) * REASON_PART + 1, part * REASON_PART)
  end
end

-- Moves one job from the index `from` to a place, with more fields to write.
local function move(id, from, place, due, fields, reason)
  local to = index_of(place, due)
  enter(to, id, due)
  write_entering()
  fields[#fields + 1], fields[#fields + 2] = 'p', place
  fields[#fields + 1], fields[#fields + 2] = 'd', due
  if reason then append_reason(fields, reason) end
  redis.call('HSET', job_key(id), unpack(fields))
  if to ~= from then
    leave(from, id)
    write_leaving()
  end
end

-- An error if `now` is further from this server's clock than `limit` milliseconds; no limit is ''.
local function skewed(now, limit)
  if limit == '' then return nil end
  local time = redis.call('TIME')
  local skew = now - (tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
  if math.abs(skew) <= tonumber(limit) then return nil end
  return redis.error_reply('SKEW ' .. string.format('%.0f', skew))
end

