-- Reads records. A script, so that reading a wiped store is an error and not a store without jobs.
-- ARGV     2 '1' with contexts, 3.. ids, at least one
-- Returns  records; nil where there is none
local texts = texts_of({ unpack(ARGV, 3) })
if ARGV[2] ~= '1' then
  for at, text in ipairs(texts) do
    local size, from = string.match(text or '', '^(%d+) ()')
    if size then texts[at] = string.sub(text, 1, from + size - 1) end
  end
end
return texts
