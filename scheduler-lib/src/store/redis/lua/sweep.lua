-- Checks some registered jobs, or some index entries, and mends what is not in exactly one place. Each decision is made
-- on the record, in this script, so that no transition is seen half-way.
-- ARGV     2 part (ids, slot, lease, later, held, note), 3 where in the part, 4 scan cursor, 5 limit
-- Returns  the next part ('' when all is seen), where in it, scan cursor, seen, repaired
-- Registered jobs are first given the index entry that their record names, then entries that no record confirms go.
local SETS = 200
local part, where, scan, limit = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local seen, repaired = 0, 0
local IDS = prefix .. 'ids'

local function has_entry(id, place, due, deadline)
  local key = index_of(place, due, deadline)
  if place == 'l' then return tonumber(redis.call('ZSCORE', LATER, id) or -1) == tonumber(due) end
  local listed = place ~= 'f' or redis.call('ZSCORE', LEASES, bucket_of(tonumber(deadline)))
  return listed and redis.call('SISMEMBER', key, id) == 1
end

local function check_job(id)
  local text = redis.call('GET', job_key(id))
  if not text then
    redis.call('DEL', context_key(id))
    redis.call('ZREM', IDS, id)
    return 1
  end
  local job = parse(text)
  -- What cannot be read is left to a hand.
  if not job then return 0 end
  local slot = slot_of(tonumber(job.d))
  if job.p == 's' and (slot < cursor or slot > cursor + SLOTS - 1) then
    local from = index_of(job.p, job.d)
    job.p, job.d = placed(tonumber(job.d))
    move(id, from, job)
    return 1
  end
  if has_entry(id, job.p, job.d, job.e) then return 0 end
  if job.p == 'f' then
    local bucket = bucket_of(tonumber(job.e))
    redis.call('ZADD', LEASES, bucket, bucket)
  end
  enter(index_of(job.p, job.d, job.e), id, job.d)
  write_entering()
  return 1
end

local function check_entry(key, id)
  local job = fetch(id)
  seen = seen + 1
  if not job or index_of(job.p, job.d, job.e) ~= key then
    leave(key, id)
    repaired = repaired + 1
  elseif not redis.call('ZSCORE', IDS, id) then
    redis.call('ZADD', IDS, 0, id)
    repaired = repaired + 1
  end
end

-- Checks a page of one index; true when its end is reached.
local function check_page(key)
  local sorted = key == LATER
  local page = redis.call(sorted and 'ZSCAN' or 'SSCAN', key, scan, 'COUNT', limit)
  for at = 1, #page[2], sorted and 2 or 1 do check_entry(key, page[2][at]) end
  write_leaving()
  scan = page[1]
  return scan == '0'
end

local function ids()
  local from = where == '' and '-' or '(' .. where
  local page = redis.call('ZRANGEBYLEX', IDS, from, '+', 'LIMIT', 0, limit)
  for _, id in ipairs(page) do repaired = repaired + check_job(id) end
  seen = #page
  if #page < limit then part, where = 'slot', '0' else where = page[#page] end
end

local function slots()
  local slot = tonumber(where)
  for _ = 1, SETS do
    if check_page(slot_key(slot)) then slot = slot + 1 end
    if slot == SLOTS or seen >= limit then break end
  end
  where = tostring(slot)
  if slot == SLOTS then part, where = 'lease', '-inf' end
end

local function leases()
  for _ = 1, SETS do
    local bucket = redis.call('ZRANGEBYSCORE', LEASES, where, '+inf', 'LIMIT', 0, 1)[1]
    if not bucket then
      part, where, scan = 'later', '', '0'
      return
    end
    -- The bucket that was being scanned may be gone since.
    if where ~= bucket then scan = '0' end
    where = check_page(lease_key(bucket)) and '(' .. bucket or bucket
    if seen >= limit then return end
  end
end

local function notes()
  for _, nonce in ipairs(redis.call('ZRANGE', prefix .. 'notes', 0, 999)) do
    if redis.call('EXISTS', prefix .. 'note:' .. nonce) == 0 then
      redis.call('ZREM', prefix .. 'notes', nonce)
      repaired = repaired + 1
    end
  end
end

if part == 'ids' then ids()
elseif part == 'slot' then slots()
elseif part == 'lease' then leases()
elseif part == 'later' then if check_page(LATER) then part = 'held' end
elseif part == 'held' then if check_page(HELD) then part = 'note' end
else notes() part = '' end
return { part, where, scan, seen, repaired }
