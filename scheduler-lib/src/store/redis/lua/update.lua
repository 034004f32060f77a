-- Changes a job's rules, and places it anew if it waits in a slot or later.
-- ARGV     2 id, 3 and 4 times to be due, 5.. fields to set
-- Returns  1 done, -1 unknown
local id = ARGV[2]
local job = redis.call('HMGET', job_key(id), 'p', 'd', 'e', 'r')
if not job[1] then return -1 end
local fields = { 'r', tonumber(job[4]) + 1 }
for at = 5, #ARGV do fields[#fields + 1] = ARGV[at] end
if job[1] == 's' or job[1] == 'l' then
  local from = index_of(job[1], job[2], job[3])
  local place, due = placed(emptier(tonumber(ARGV[3]), tonumber(ARGV[4]), from))
  move(id, from, place, due, fields, 'updated')
else
  redis.call('HSET', job_key(id), unpack(fields))
end
return 1
