-- Reads records. A script, so that reading a wiped store is an error and not a store without jobs.
-- ARGV     2 '1' with contexts, 3.. ids, at least one
-- Returns  records, contexts; nil where there is none
local ids = { unpack(ARGV, 3) }
return { values_of(job_key, ids), ARGV[2] == '1' and values_of(context_key, ids) or {} }
