-- Comes before every step. All keys share the hash tag of KEYS[1], so a script runs on one node of a cluster.
--
-- KEYS[1]  the layout key            ARGV[1]  the identity it had when the store was opened
-- A step on a store that was wiped, or created anew by somebody else, answers WIPED and changes nothing.
--
-- A record is a field of a hash: jobs:<part>, by id. One hash would be a key that no cluster can move in one go; with a
-- key for each job, keys were most of the memory. Its text is the size of its head, a space, the head, and the context.
-- Words of the head, in this order, its reasons last:
--   p place, d due, e deadline in flight (else 0), g generation, n nonce ('-' spent), i incarnation, s settled, t type,
--   a account ('=' as the id tells), l level, then '-', or '+' and what few jobs have:
--   r revision (the last edit's, 0 before), k strikes, c attempts, w run now, u cushion ('-' none), o pace by hand
--   ('-' none), b bound scopes (a comma before each, '-' none), h activity ('-' none).
-- A reason is a line of its time ('-' not known) and its words, the newest first.
-- Places and their indexes:
--   s  slot:<slot mod 1440>         list      f  lease:<ceil(deadline / width)>  set, each listed in the zset leases
--   l  later                        zset      p k q x (the holds)  held          set
-- A list takes the least memory by far. A job that leaves a list before its slot is drained is searched in it, unless
-- that is too long; then its entry stays until the slot is drained.
--
-- A script that fails keeps what it wrote. So each move enters the new index first, then writes the record, then
-- leaves the old index: a job is never without a place, and an entry that the record does not confirm counts for nothing.
local layout = redis.call('HMGET', KEYS[1], 'identity', 'width_ms', 'cursor')
if layout[1] ~= ARGV[1] then return redis.error_reply('WIPED the layout key is gone') end
local prefix = string.sub(KEYS[1], 1, -7)
local width, cursor = tonumber(layout[2]), tonumber(layout[3])
local SLOTS, PARTS = 1440, 16
local COMMON, RARE = '^' .. string.rep('(%S+) ', 11) .. '()', '^' .. string.rep('(%S+) ', 8) .. '()'
-- Entries of lists that one script looks at for jobs that leave them: some 0.3 ms.
local MAX_SEARCHED = 20000
local MAX_REASONS, MAX_HISTORY_SIZE_BYTES = 5, 800
local LATER, HELD, LEASES = prefix .. 'later', prefix .. 'held', prefix .. 'leases'

-- Between numbers and words much time is lost, and jobs that come together mostly have the same: what was found for one
-- is kept for the others.
local function kept(find)
  local known = {}
  return function(of)
    if known[of] == nil then known[of] = find(of) end
    return known[of]
  end
end
local word = kept(function(number) return string.format('%.0f', number) end)
local function slot_of(due) return math.ceil(due / width) end
local function bucket_of(deadline) return math.ceil(deadline / width) end
local part_key = kept(function(part) return prefix .. 'jobs:' .. part end)
local slot_key = kept(function(slot) return prefix .. 'slot:' .. slot % SLOTS end)
local lease_key = kept(function(bucket) return prefix .. 'lease:' .. bucket end)
local slot_key_at = kept(function(due) return slot_key(slot_of(tonumber(due))) end)
local lease_key_at = kept(function(deadline) return lease_key(bucket_of(tonumber(deadline))) end)
local function part_of(id) return part_key((string.byte(id, -1) + 7 * (string.byte(id, -2) or 0)) % PARTS) end
local function is_held(place) return place == 'p' or place == 'k' or place == 'q' or place == 'x' end

-- The key that indexes a place.
local function index_of(job)
  if job.p == 's' then return slot_key_at(job.d) end
  if job.p == 'f' then return lease_key_at(job.e) end
  if job.p == 'l' then return LATER end
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
    local key = slot_key(slot_of(at))
    return redis.call('LLEN', key) - (key == own and 1 or 0)
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

-- What is to be written, by command and key: one command for each.
local pending = {}
local function note(command, key, first, second)
  local batches = pending[command]
  if not batches then batches = {}; pending[command] = batches end
  local batch = batches[key]
  if not batch then batch = {}; batches[key] = batch end
  batch[#batch + 1] = first
  if second then batch[#batch + 1] = second end
end
local function write(commands)
  for _, command in ipairs(commands) do
    for key, words in pairs(pending[command] or {}) do redis.call(command, key, unpack(words)) end
    pending[command] = nil
  end
end

-- Enters a job into the index of its place. A list at its end, so that a job keeps its time within the slot, unless it is
-- to be first; that of the slot which is drained now in front.
local function enter(id, job)
  local key = index_of(job)
  if job.p == 'l' then
    note('ZADD', key, job.d, id)
  elseif job.p == 's' then
    note((job.first or key == slot_key(cursor)) and 'LPUSH' or 'RPUSH', key, id)
  else
    note('SADD', key, id)
  end
end
local left = {}
local function leave(id, key, place)
  if place == 's' then left[#left + 1] = { key, id } else note(place == 'l' and 'ZREM' or 'SREM', key, id) end
end
local function write_entering() write({ 'SADD', 'ZADD', 'RPUSH', 'LPUSH' }) end
local searched = 0
local function write_leaving()
  write({ 'SREM', 'ZREM' })
  for _, entry in ipairs(left) do
    searched = searched + redis.call('LLEN', entry[1])
    if searched <= MAX_SEARCHED then redis.call('LREM', entry[1], 1, entry[2]) end
  end
  left = {}
end

-- One table constructor: filled word by word, it would be most of what a step costs. Reasons and context are cut off,
-- since a pattern would look at each of their bytes.
local function parse(text)
  if not text then return nil end
  local size, from = string.match(text, '^(%d+) ()')
  if not size then return nil end
  local p, d, e, g, n, i, s, t, a, l, more, at = string.match(text, COMMON, from)
  if not p then return nil end
  local r, k, c, w, u, o, b, h = '0', '0', '0', '0', '-', '-', '-', '-'
  if more == '+' then r, k, c, w, u, o, b, h, at = string.match(text, RARE, at) end
  if not r then return nil end
  return {
    p = p, d = d, e = e, g = g, n = n, i = i, s = s, t = t, a = a, l = l, r = r, k = k, c = c, w = w, u = u, o = o,
    b = b, h = h, y = string.sub(text, at, from + size - 1), context = string.sub(text, from + size),
  }
end
local function has_nothing_rare(job)
  return job.r == '0' and job.k == '0' and job.c == '0' and job.w == '0' and job.u == '-' and job.o == '-' and
    job.b == '-' and job.h == '-'
end
local function text_of(job)
  local rare = '-'
  if not has_nothing_rare(job) then
    rare = '+ ' .. job.r .. ' ' .. job.k .. ' ' .. job.c .. ' ' .. job.w .. ' ' .. job.u .. ' ' .. job.o .. ' ' ..
      job.b .. ' ' .. job.h
  end
  local head = job.p .. ' ' .. job.d .. ' ' .. (job.p == 'f' and job.e or '0') .. ' ' .. job.g .. ' ' .. job.n .. ' ' ..
    job.i .. ' ' .. job.s .. ' ' .. job.t .. ' ' .. job.a .. ' ' .. job.l .. ' ' .. rare .. ' ' .. job.y
  return word(#head) .. ' ' .. head .. job.context
end
local function fetch(id) return parse(redis.call('HGET', part_of(id), id)) end
local function save(id, job)
  local text = text_of(job)
  note('HSET', part_of(id), id, text)
  return text
end
local function write_records() write({ 'HSET' }) end

-- Notes why a job is placed where it is, before the reasons that it has, of which the oldest make room. The same reason
-- again only moves its time; whatever follows takes the place of the first.
local function because(job, at, text)
  local newest, older, last = at .. ' ' .. text, job.y, 0
  local line_end = string.find(older, '\n', 1, true) or #older + 1
  local last_text = string.sub(older, (string.find(older, ' ', 1, true) or 0) + 1, line_end - 1)
  if last_text == text or last_text == 'registered' then
    older = string.sub(older, line_end + 1)
  end
  if older == '' then
    job.y = newest
    return
  end
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

-- The texts of many records, by one command for each part; false where there is none.
local function texts_of(ids)
  local parts, texts = {}, {}
  for at, id in ipairs(ids) do
    local key = part_of(id)
    local part = parts[key] or { ids = {}, at = {} }
    parts[key] = part
    part.ids[#part.ids + 1], part.at[#part.at + 1] = id, at
  end
  for key, part in pairs(parts) do
    for number, text in ipairs(redis.call('HMGET', key, unpack(part.ids))) do texts[part.at[number]] = text end
  end
  return texts
end

-- Writes one job, changed already, and moves it from the index `from` of the place `place` to that of its place.
local function move(id, from, place, job)
  local moves = index_of(job) ~= from
  if moves or job.p == 'l' then enter(id, job) end
  save(id, job)
  if moves then leave(id, from, place) end
  write_entering()
  write_records()
  write_leaving()
end

-- An error if `now` is further from this server's clock than `limit` milliseconds; no limit is ''.
local function skewed(now, limit)
  if limit == '' then return nil end
  local time = redis.call('TIME')
  local skew = now - (tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
  if math.abs(skew) <= tonumber(limit) then return nil end
  return redis.error_reply('SKEW ' .. string.format('%.0f', skew))
end

