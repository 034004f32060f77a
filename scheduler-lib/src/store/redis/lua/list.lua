-- Records, part by part.
-- ARGV     2 part, 3 scan cursor, 4 limit
-- Returns  the next part ('' after the last), scan cursor, ids, records
local PAGES = 200
local part, scan, limit, ids, texts = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), {}, {}
for _ = 1, PAGES do
  if part == PARTS or #ids >= limit then break end
  local page = redis.call('HSCAN', part_key(part), scan, 'COUNT', limit - #ids)
  for at = 1, #page[2], 2 do ids[#ids + 1], texts[#texts + 1] = page[2][at], page[2][at + 1] end
  scan = page[1]
  if scan == '0' then part = part + 1 end
end
return { part < PARTS and tostring(part) or '', scan, ids, texts }
