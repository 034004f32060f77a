-- Reads records. A script, so that reading a wiped store is an error and not a store without jobs.
-- ARGV     2 '1' with contexts, 3.. ids
-- Returns  one entry an id: the record's fields and values, and last its context ('' without); empty if there is no record
local records = {}
for at = 3, #ARGV do
  local record = redis.call('HGETALL', job_key(ARGV[at]))
  if #record > 0 then
    record[#record + 1] = ARGV[2] == '1' and redis.call('GET', context_key(ARGV[at])) or ''
  end
  records[#records + 1] = record
end
return records
