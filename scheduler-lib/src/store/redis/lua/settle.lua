-- Settles dispatches.
-- ARGV     2 now, 3 skew limit, then 13 a settlement: id, incarnation, generation, nonce, revision, '1' with a context,
--          context, next (d due, n now, h hold, r remove), its time or hold, attempts, the limit of strikes (0 clears
--          them), the place of quarantine, reason
-- Returns  one letter a settlement: a accepted, e edited, s stale, o other incarnation, u unknown
-- Contexts come before records: with the token unspent, the completion is settled once more to the same end.
local ARGUMENTS = 13
local now = tonumber(ARGV[2])
local refused = skewed(now, ARGV[3])
if refused then return refused end
local verdicts, pending, records, contexts, removed = {}, {}, {}, {}, {}

local function write()
  write_entering()
  if #contexts > 0 then redis.call('MSET', unpack(contexts)) end
  for id, fields in pairs(records) do redis.call('HSET', job_key(id), unpack(fields)) end
  for _, id in ipairs(removed) do
    redis.call('DEL', job_key(id))
    redis.call('DEL', context_key(id))
    redis.call('ZREM', prefix .. 'ids', id)
  end
  write_leaving()
  pending, records, contexts, removed = {}, {}, {}, {}
end

local function go(id, from, place, due, fields, reason)
  local to = index_of(place, due)
  fields[#fields + 1], fields[#fields + 2] = 'p', place
  fields[#fields + 1], fields[#fields + 2] = 'd', due
  append_reason(fields, reason)
  enter(to, id, due)
  if to ~= from then leave(from, id) end
end

local function quarantine(id, from, job, place, strikes, fields)
  local reason = 'quarantined: ' .. strikes .. ' dead letters without a completion between'
  go(id, from, place, job[6], fields, reason)
end

local function strike_stale(at, job)
  local id, limit = ARGV[at], tonumber(ARGV[at + 10])
  if limit == 0 then return end
  local strikes = tonumber(job[8]) + 1
  local fields = { 'k', strikes }
  if strikes >= limit and not is_held(job[5]) then
    quarantine(id, index_of(job[5], job[6], job[7]), job, ARGV[at + 11], strikes, fields)
  end
  records[id], pending[id] = fields, true
end

local function accept(at, job)
  local id, limit, next, argument = ARGV[at], tonumber(ARGV[at + 10]), ARGV[at + 7], ARGV[at + 8]
  local strikes = limit > 0 and tonumber(job[8]) + 1 or 0
  local fields = { 'n', '', 'c', ARGV[at + 9], 'k', strikes, 's', now }
  if job[9] == '1' then fields[#fields + 1], fields[#fields + 2] = 'w', 0 end
  local from = index_of(job[5], job[6], job[7])
  pending[id] = true
  local held, quarantined = is_held(job[5]), limit > 0 and strikes >= limit
  if next == 'r' and not held and not quarantined then
    removed[#removed + 1] = id
    leave(from, id)
    return
  end
  if not held then
    if quarantined then
      quarantine(id, from, job, ARGV[at + 11], strikes, fields)
    elseif next == 'd' then
      local place, due = placed(tonumber(argument))
      go(id, from, place, due, fields, ARGV[at + 12])
    elseif next == 'n' then
      go(id, from, 's', cursor * width, fields, ARGV[at + 12])
    else
      go(id, from, argument, job[6], fields, ARGV[at + 12])
    end
  end
  if ARGV[at + 5] == '1' then
    contexts[#contexts + 1], contexts[#contexts + 2] = context_key(id), ARGV[at + 6]
  end
  records[id] = fields
end

local function settle(at)
  local id = ARGV[at]
  -- A job's second settlement in one call has to see the first.
  if pending[id] then write() end
  local job = redis.call('HMGET', job_key(id), 'i', 'g', 'n', 'r', 'p', 'd', 'e', 'k', 'w')
  if not job[1] then return 'u' end
  if job[1] ~= ARGV[at + 1] then return 'o' end
  if job[3] == '' or job[3] ~= ARGV[at + 3] or job[2] ~= ARGV[at + 2] then
    strike_stale(at, job)
    return 's'
  end
  if job[4] ~= ARGV[at + 4] then return 'e' end
  accept(at, job)
  return 'a'
end

for at = 4, #ARGV, ARGUMENTS do verdicts[#verdicts + 1] = settle(at) end
write()
return table.concat(verdicts)
