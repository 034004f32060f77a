-- What steps do with messages. Runs behind the prelude.

-- Lets one who waits look. A token that nobody has taken yet will do.
local function wake(key)
  if redis.call('LLEN', key) == 0 then redis.call('RPUSH', key, '') end
end

-- The body of an entry, when it was sent unless its id says so, and its trace if it has one.
local function content_of(entry)
  local fields = entry[2]
  if #fields == 2 and fields[1] == 'b' then return fields[2] end
  local body, sent, trace = '', nil, nil
  for at = 1, #fields, 2 do
    if fields[at] == 'b' then body = fields[at + 1] end
    if fields[at] == 's' then sent = fields[at + 1] end
    if fields[at] == 't' then trace = fields[at + 1] end
  end
  return body, sent, trace
end

local function sent_of(entry)
  local _, sent = content_of(entry)
  return sent or string.match(entry[1], '^%d+')
end

-- Removes messages for good.
local function remove(ids)
  if #ids == 0 then return end
  redis.call('XDEL', MESSAGES, unpack(ids))
  redis.call('XACK', MESSAGES, GROUP, unpack(ids))
  redis.call('ZREM', LEASES, unpack(ids))
  redis.call('HDEL', AGAIN, unpack(ids))
end

-- Moves a message to the dead-letter queue. False if that has no room, or is gone: then it stays.
local function bury(id)
  if dead_letter == '' then return false end
  local key = string.match(KEYS[1], '^(.*:)[^:]*$') .. dead_letter
  local room = tonumber(redis.call('HGET', key, 'capacity') or 0) - redis.call('XLEN', key .. ':messages')
  if room <= 0 then return false end
  local entry = redis.call('XRANGE', MESSAGES, id, id)[1]
  if entry then
    local body, _, trace = content_of(entry)
    local fields = { 'b', body, 's', sent_of(entry) }
    if trace then fields[5], fields[6] = 't', trace end
    redis.call('XADD', key .. ':messages', '*', unpack(fields))
    wake(key .. ':wake')
  end
  remove({ id })
  return true
end

-- How often each message was received.
local function receives_of(ids)
  local counts = redis.call('HMGET', AGAIN, unpack(ids))
  for at = 1, #ids do counts[at] = tonumber(counts[at] or 1) end
  return counts
end
