-- Comes before every step. All keys share the hash tag of KEYS[1], so a script runs on one node of a cluster.
--
-- KEYS[1]  the layout key            ARGV[1]  the identity it had when the store was opened
-- A step on a store that was wiped, or created anew by somebody else, answers WIPED and changes nothing.
--
-- A record is the string job:<id>, so that one command reads or writes a whole chunk. Words in this order, the reasons
-- last:
--   p place, d due, e deadline in flight, g generation, n nonce ('-' spent), r revision (the last edit's, 0 before),
--   i incarnation, k strikes, c attempts, s settled, w run now, t type, a account, l level, u cushion ('-' none), o pace by hand ('-' none),
--   b bound scopes (a comma before each, '-' none), h activity ('-' none), y reasons.
-- A reason is a line of its time ('-' not known) and its words, the newest first.
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
local SLOTS = 1440
local RECORD = '^' .. string.rep('(%S+) ', 18) .. '()'
local MAX_REASONS, MAX_HISTORY_SIZE_BYTES = 5, 800
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

-- Places an edited job. One that waits comes no later than it was to: edits that keep coming would postpone it for ever.
local function place_edited(job, first, second, own)
  local place, due = placed(emptier(first, second, own))
  local waits = job.p == 's' or job.p == 'l'
  if not waits or due < tonumber(job.d) then job.p, job.d = place, due end
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

-- One table constructor and one concatenation: filled word by word, these two would be most of what a step costs. The
-- reasons are cut off, since a pattern would look at each of their bytes.
local function parse(text)
  if not text then return nil end
  local p, d, e, g, n, r, i, k, c, s, w, t, a, l, u, o, b, h, reasons = string.match(text, RECORD)
  if not p then return nil end
  return {
    p = p, d = d, e = e, g = g, n = n, r = r, i = i, k = k, c = c, s = s, w = w, t = t, a = a, l = l, u = u, o = o,
    b = b, h = h, y = string.sub(text, reasons),
  }
end
local function text_of(job)
  return job.p .. ' ' .. job.d .. ' ' .. job.e .. ' ' .. job.g .. ' ' .. job.n .. ' ' .. job.r .. ' ' .. job.i .. ' ' ..
    job.k .. ' ' .. job.c .. ' ' .. job.s .. ' ' .. job.w .. ' ' .. job.t .. ' ' .. job.a .. ' ' .. job.l .. ' ' ..
    job.u .. ' ' .. job.o .. ' ' .. job.b .. ' ' .. job.h .. ' ' .. job.y
end
local function fetch(id) return parse(redis.call('GET', job_key(id))) end
local function save(id, job) redis.call('SET', job_key(id), text_of(job)) end

-- Notes why a job is placed where it is, before the reasons that it has, of which the oldest make room.
local function because(job, at, text)
  local newest, older, last = at .. ' ' .. text, job.y, 0
  for _ = 2, MAX_REASONS do
    last = string.find(older, '\n', last + 1, true)
    if not last then break end
  end
  if last then older = string.sub(older, 1, last - 1) end
  while older ~= '' and #newest + 1 + #older > MAX_HISTORY_SIZE_BYTES do
    older = string.match(older, '^(.*)\n') or ''
  end
  job.y = older == '' and newest or newest .. '\n' .. older
end

-- The values of many ids, by one command; false where there is none.
local function values_of(key_of, ids)
  local keys = {}
  for at, id in ipairs(ids) do keys[at] = key_of(id) end
  return #keys > 0 and redis.call('MGET', unpack(keys)) or {}
end

-- Writes one job, changed already, and moves it from the index `from` to that of its place.
local function move(id, from, job)
  local to = index_of(job.p, job.d, job.e)
  enter(to, id, job.d)
  write_entering()
  save(id, job)
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

