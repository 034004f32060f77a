-- Checks some registered jobs, or some index entries, and mends what is not in exactly one place. Each decision is made
-- on the record, in this script, so that no transition is seen half-way.
-- ARGV     2 part (job, lease, later, held, note), 3 where in the part, 4 scan cursor, 5 limit
-- Returns  the next part ('' when all is seen), where in it, scan cursor, seen, repaired
-- Registered jobs are first given the index entry that their record names, then entries that no record confirms go. In
-- a slot's list nobody looks for one job among many: one that is missing there is found once the cursor has passed it.
local SETS = 200
local part, where, scan, limit = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local seen, repaired = 0, 0

local function has_entry(id, job)
  if job.p == 's' then return true end
  local key = index_of(job)
  if job.p == 'l' then return tonumber(redis.call('ZSCORE', LATER, id) or -1) == tonumber(job.d) end
  local listed = job.p ~= 'f' or redis.call('ZSCORE', LEASES, bucket_of(tonumber(job.e)))
  return listed and redis.call('SISMEMBER', key, id) == 1
end

local function check_job(id, text)
  local job = parse(text)
  -- What cannot be read is left to a hand.
  if not job then return end
  local slot = slot_of(tonumber(job.d))
  if job.p == 's' and (slot < cursor or slot > cursor + SLOTS - 1) then
    local from = index_of(job)
    job.p, job.d = placed(tonumber(job.d))
    move(id, from, 's', job)
    repaired = repaired + 1
  elseif not has_entry(id, job) then
    if job.p == 'f' then
      local bucket = bucket_of(tonumber(job.e))
      redis.call('ZADD', LEASES, bucket, bucket)
    end
    enter(id, job)
    write_entering()
    repaired = repaired + 1
  end
end

local function check_entry(key, id)
  local job = fetch(id)
  seen = seen + 1
  if not job or index_of(job) ~= key then
    leave(id, key, key == LATER and 'l' or 'f')
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

local function jobs()
  local number = tonumber(where)
  for _ = 1, SETS do
    if number == PARTS or seen >= limit then break end
    local page = redis.call('HSCAN', part_key(number), scan, 'COUNT', limit)
    for at = 1, #page[2], 2 do check_job(page[2][at], page[2][at + 1]) end
    seen = seen + #page[2] / 2
    scan = page[1]
    if scan == '0' then number = number + 1 end
  end
  where = tostring(number)
  if number == PARTS then part, where = 'lease', '-inf' end
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

if part == 'job' then jobs()
elseif part == 'lease' then leases()
elseif part == 'later' then if check_page(LATER) then part = 'held' end
elseif part == 'held' then if check_page(HELD) then part = 'note' end
else notes() part = '' end
return { part, where, scan, seen, repaired }
