-- Keeps messages invisible for a time from now; none makes one visible at once.
-- ARGV     1 consumer, then triples of id, receives, milliseconds
-- Returns  one letter each: e extended, s stale
local now, ids, answers, claimed, leases, visible = now_ms(), {}, {}, {}, {}, false
end_ranges(now)
for at = 2, #ARGV, 3 do ids[#ids + 1] = ARGV[at] end
local receives, ends = receives_of(ids), redis.call('ZMSCORE', LEASES, unpack(ids))
local held = {}
for at, id in ipairs(ids) do
  local same = receives[at] == tonumber(ARGV[at * 3]) and not (ends[at] and tonumber(ends[at]) <= now)
  if same then held[#held + 1] = id end
  answers[at] = same and 'e' or 's'
end
if #held > 0 then
  held[#held + 1], held[#held + 2] = 'FORCE', 'JUSTID'
  for _, id in ipairs(redis.call('XCLAIM', MESSAGES, GROUP, ARGV[1], 0, unpack(held))) do claimed[id] = true end
end
for at, id in ipairs(ids) do
  if answers[at] == 'e' and not claimed[id] then answers[at] = 's' end
  if answers[at] == 'e' then
    local for_ms = tonumber(ARGV[at * 3 + 1])
    local worn_out = for_ms == 0 and max_receives > 0 and receives[at] >= max_receives
    if not (worn_out and bury(id)) then
      leases[#leases + 1], leases[#leases + 2] = now + for_ms, id
      visible = visible or for_ms == 0
    end
  end
end
if #leases > 0 then redis.call('ZADD', LEASES, unpack(leases)) end
if visible then wake(WAKE) end
return table.concat(answers)
