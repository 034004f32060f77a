-- Settles dispatches.
-- ARGV     2 now, 3 skew limit, then 15 a settlement: id, incarnation, generation, nonce, revision, '1' with a context,
--          context, next (d due, n now, h hold, r remove), its time or hold, attempts, the limit of strikes (0 clears
--          them), the place of quarantine, reason, scopes and activity ('' leaves as it is)
-- Returns  one letter a settlement: a accepted, e edited, s stale, o other incarnation, u unknown
local ARGUMENTS = 15
local now = tonumber(ARGV[2])
local refused = skewed(now, ARGV[3])
if refused then return refused end
local verdicts, seen = {}, {}
local placed_at = kept(function(due)
  local place, at = placed(tonumber(due))
  return { place, word(at) }
end)

local function write_all()
  write_entering()
  write_records()
  write({ 'HDEL' })
  write_leaving()
end

-- One of two, by the token's random part and the job: a job whose poll brought nothing gets other neighbours each time.
local function falls_in_front(id, nonce) return (string.byte(id, -1) + string.byte(nonce, -1)) % 2 == 1 end

local function change(id, from, place, job)
  local moves = index_of(job) ~= from
  if moves or job.p == 'l' then enter(id, job) end
  if moves then leave(id, from, place) end
  save(id, job)
end

local function quarantine(job, place)
  job.p = place
  because(job, ARGV[2], 'quarantined: workers gave up on its message ' .. job.k .. ' times in a row')
end

local function strike_stale(at, job)
  local limit, from, place = tonumber(ARGV[at + 10]), index_of(job), job.p
  if limit == 0 then return end
  job.k = tonumber(job.k) + 1
  if job.k >= limit and not is_held(job.p) then quarantine(job, ARGV[at + 11]) end
  change(ARGV[at], from, place, job)
end

local function accept(at, job)
  local id, limit, next, argument = ARGV[at], tonumber(ARGV[at + 10]), ARGV[at + 7], ARGV[at + 8]
  local from, place = index_of(job), job.p
  job.n, job.c, job.s, job.w = '-', ARGV[at + 9], ARGV[2], '0'
  job.k = limit > 0 and tonumber(job.k) + 1 or '0'
  if ARGV[at + 13] ~= '' then job.b = ARGV[at + 13] end
  if ARGV[at + 14] ~= '' then job.h = ARGV[at + 14] end
  if not is_held(job.p) then
    if limit > 0 and job.k >= limit then
      quarantine(job, ARGV[at + 11])
    elseif next == 'r' then
      note('HDEL', part_of(id), id)
      leave(id, from, place)
      return
    else
      because(job, ARGV[2], ARGV[at + 12])
      if next == 'd' then
        job.p, job.d = unpack(placed_at(argument))
        job.first = ARGV[at + 5] ~= '1' and falls_in_front(id, ARGV[at + 3])
      elseif next == 'n' then
        job.p, job.d = 's', word(cursor * width)
      else
        job.p = argument
      end
    end
  end
  if ARGV[at + 5] == '1' then job.context = ARGV[at + 6] end
  change(id, from, place, job)
end

local function settle(at, text)
  local job = parse(text)
  if not job then return 'u' end
  if job.i ~= ARGV[at + 1] then return 'o' end
  if job.n ~= ARGV[at + 3] or job.g ~= ARGV[at + 2] then
    strike_stale(at, job)
    return 's'
  end
  if job.r ~= ARGV[at + 4] then return 'e' end
  accept(at, job)
  return 'a'
end

local ids = {}
for at = 4, #ARGV, ARGUMENTS do ids[#ids + 1] = ARGV[at] end
local texts = texts_of(ids)
for number, id in ipairs(ids) do
  -- A job's second settlement in one call has to see the first.
  if seen[id] then
    write_all()
    texts[number] = redis.call('HGET', part_of(id), id)
  end
  seen[id] = true
  verdicts[number] = settle(4 + (number - 1) * ARGUMENTS, texts[number])
end
write_all()
return table.concat(verdicts)
