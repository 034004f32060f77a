-- Conservation, looked at from outside: registered = slots ∪ in flight ∪ later ∪ held, disjoint, and as the records say.
-- Read-only: it runs by EVAL_RO. Written from the layout's description, it shares no line with the store's own scripts.
-- KEYS[1]  what every key begins with     ARGV[1]  1 to return the records too
-- Returns  counts (registered, in slots, in flight, later, held, open notes), violations, ids and records in turn
local prefix = KEYS[1]
local width = tonumber(redis.call('HGET', prefix .. 'layout', 'width_ms'))
if not width then return { { 0, 0, 0, 0, 0, 0 }, { 'the layout key is gone' }, {} } end
local records, found, listed, counts, violations, told = {}, {}, {}, { 0, 0, 0, 0, 0, 0 }, {}, {}

local function violation(text) if #violations < 20 then violations[#violations + 1] = text end end

for part = 0, 15 do
  local fields = redis.call('HGETALL', prefix .. 'jobs:' .. part)
  for at = 1, #fields, 2 do
    counts[1] = counts[1] + 1
    records[fields[at]] = fields[at + 1]
    if ARGV[1] == '1' then told[#told + 1], told[#told + 2] = fields[at], fields[at + 1] end
  end
end

-- Where a record says its job is: its first word is a size, then come the place, the due time, the deadline.
local function said(record)
  local place, due, deadline = string.match(record, '^%d+ (%S+) (%S+) (%S+) ')
  if place == 's' then return 'slot:' .. math.ceil(tonumber(due) / width) % 1440 end
  if place == 'f' then return 'lease:' .. math.ceil(tonumber(deadline) / width) end
  if place == 'l' then return 'later' end
  if place and string.find('pkqx', place, 1, true) then return 'held' end
  return 'nowhere that is known'
end

local function found_in(index, kind, ids)
  counts[kind] = counts[kind] + #ids
  for _, id in ipairs(ids) do
    if found[id] then violation(id .. ' is in ' .. found[id] .. ' and in ' .. index) end
    found[id] = index
  end
end

for _, bucket in ipairs(redis.call('ZRANGE', prefix .. 'leases', 0, -1)) do
  local index = 'lease:' .. bucket
  found_in(index, 3, redis.call('SMEMBERS', prefix .. index))
end
found_in('later', 4, redis.call('ZRANGE', prefix .. 'later', 0, -1))
found_in('held', 5, redis.call('SMEMBERS', prefix .. 'held'))
counts[6] = redis.call('ZCARD', prefix .. 'notes')

-- A slot's list may have entries of jobs that left it, or twice: only those count of which the record says the same.
for slot = 0, 1439 do
  local index = 'slot:' .. slot
  for _, id in ipairs(redis.call('LRANGE', prefix .. index, 0, -1)) do
    if records[id] and said(records[id]) == index and listed[id] ~= index then
      listed[id] = index
      found_in(index, 2, { id })
    end
  end
end

for id, record in pairs(records) do
  if not found[id] then
    violation(id .. ' is lost: in no place; its record: ' .. record)
  elseif found[id] ~= said(record) then
    violation(id .. ' is in ' .. found[id] .. ', its record says ' .. said(record))
  end
  found[id] = nil
end
for id, index in pairs(found) do violation(id .. ' is in ' .. index .. ' and not registered') end
return { counts, violations, told }
