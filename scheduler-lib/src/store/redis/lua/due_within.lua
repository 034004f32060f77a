-- What is to be drained until so many slots after the cursor's are through.
-- ARGV     2 slots, 3 of how many jobs the types are read, if there are more
-- Returns  for each slot that has any: how many, then the types of some: a share that is as large in every slot
local last, most = cursor + math.min(tonumber(ARGV[2]), SLOTS - 1), tonumber(ARGV[3])
local answer, keys, ids, of, total = {}, {}, {}, {}, 0
for slot = cursor, last do
  local jobs = redis.call('LLEN', slot_key(slot))
  if jobs > 0 then
    answer[#answer + 1], keys[#keys + 1] = { jobs, {} }, slot_key(slot)
    total = total + jobs
  end
end
for number, key in ipairs(keys) do
  local looked_at = math.ceil(answer[number][1] * math.min(1, most / total))
  for _, id in ipairs(redis.call('LRANGE', key, 0, looked_at - 1)) do
    ids[#ids + 1], of[#of + 1] = id, answer[number][2]
  end
end
for at, text in ipairs(texts_of(ids)) do
  local job = parse(text)
  if job then of[at][#of[at] + 1] = job.t end
end
return answer
