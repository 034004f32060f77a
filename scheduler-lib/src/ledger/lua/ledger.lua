-- The steps of the ledger, as scope.rs, window.rs and pace.rs have them; a test holds the two together.
-- KEYS: scopes. ARGV: the step, now in UTC milliseconds, its request as JSON, the most by which now may
-- differ from this server's clock in milliseconds, or ''. A record is
-- {r = refused until, p = probed until, w = {length as told = {limit, left, ends, length, told, out, out before, since}},
-- pace = {turn, asked, room, promised, least, granted, price}}; least and price are texts, since cjson writes 14 digits only.

local MAX_WINDOWS, PROBE_MS, REMEMBERED_MS = 8, 10000, 3600000
local MIN_LENGTH_MS, SAME_END_MS, UNHEARD_MS = 1000, 1000, 3600000
local FOLLOW, LOWEST_PRICE, HIGHEST_PRICE, PROMISED = 0.2, 1e-9, 1e12, 1e12

local step, now, request = ARGV[1], tonumber(ARGV[2]), cjson.decode(ARGV[3])
local loaded, changed = {}, {}

local clock = redis.call('TIME')
local skew = now - (tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
if ARGV[4] ~= '' and math.abs(skew) > tonumber(ARGV[4]) then
    return redis.error_reply('SKEW ' .. string.format('%.0f', skew))
end

local function known(value)
    if value ~= cjson.null then return value end
end

-- Names and windows, shortest first.
local function sorted(windows)
    local names = {}
    for name in pairs(windows) do names[#names + 1] = name end
    table.sort(names, function(one, two) return tonumber(one) < tonumber(two) end)
    local at = 0
    return function()
        at = at + 1
        return names[at], windows[names[at]]
    end, #names
end

local function free(window)
    return window.left - window.out - window.before
end

local function forgotten(scope)
    local at = scope.r + REMEMBERED_MS
    for _, window in pairs(scope.w) do at = math.max(at, window.ends + window.length) end
    return at
end

local function load(key)
    local scope = loaded[key]
    if scope == nil then
        local text = redis.call('GET', key)
        scope = text and cjson.decode(text) or false
        loaded[key] = scope
    end
    if not scope or forgotten(scope) <= now then
        loaded[key] = false
        return nil
    end
    for name, window in pairs(scope.w) do
        if window.told > now then window.told = now - 1 end
        window.since = math.min(window.since, now)
        window.ends = math.min(window.ends, now + window.length + SAME_END_MS)
        if now >= window.ends + window.length then
            scope.w[name] = nil
        elseif now >= window.ends or now - window.since >= UNHEARD_MS then
            if now >= window.ends then
                window.left, window.ends = window.limit, window.ends + window.length
            else
                window.left = math.max(window.left - window.before, 0)
            end
            window.before, window.out, window.since = window.out, 0, now
        end
    end
    return scope
end

-- Kept until the end: many calls of one step count in the same scope.
local function save(key, scope)
    loaded[key] = forgotten(scope) > now and scope or false
    changed[key] = true
end

local function write()
    for key in pairs(changed) do
        local scope = loaded[key]
        if scope then
            redis.call('SET', key, cjson.encode(scope), 'PX', forgotten(scope) - now)
        else
            redis.call('DEL', key)
        end
    end
end

local function exact(number) return string.format('%.17g', number) end

local function new_scope()
    return {r = 0, p = 0, w = {}, pace = {turn = 0, asked = 0, room = 0, promised = 0, least = '0', granted = 0, price = '0'}}
end

-- A configured limit holds from the first call on.
local function configure(scope, length, limit)
    local name = string.format('%.0f', length)
    local window, _, count = scope.w[name], sorted(scope.w)
    if not window and count < MAX_WINDOWS then
        scope.w[name] = {
            limit = limit, left = limit, ends = now - now % length + length, length = length, told = 0, out = 0, before = 0,
            since = now,
        }
    elseif window and window.told == 0 and window.limit ~= limit then
        window.left, window.limit = math.max(window.left + limit - window.limit, 0), limit
    end
end

-- The price follows what was asked for in the last turn, unless nothing at all could be granted then.
local function begin_turn(pace, turn)
    if turn <= pace.turn then return end
    local price = tonumber(pace.price)
    if pace.room > 0 then
        local room = math.max(pace.room - pace.promised, 0)
        local most = math.max(pace.asked, room)
        if price > 0 and most > 0 then
            price = price * math.exp(FOLLOW * (pace.asked - room) / most)
            pace.price = exact(math.min(math.max(price, LOWEST_PRICE), HIGHEST_PRICE))
        elseif price == 0 and pace.asked > room then
            pace.price = pace.least
        end
    end
    pace.turn, pace.asked, pace.room, pace.promised, pace.least, pace.granted = turn, 0, 0, 0, '0', 0
end

-- How many of the first `calls` worths are promised.
local function promised(worths, calls)
    local count = 0
    while count < calls and worths[count + 1] >= PROMISED do count = count + 1 end
    return count
end

-- What one turn may use up of what is above the cushion.
local function share(window, above, turn_ms)
    if turn_ms <= 0 then return above end
    local after_this = math.max(window.ends - (now - now % turn_ms + turn_ms), 0)
    return math.ceil(above / (1 + math.ceil(after_this / turn_ms)))
end

local function told_window(window)
    local granted = math.max(window.out + window.before, 0)
    return {limit = window.limit, free = math.max(free(window), 0), granted = granted, ends = window.ends, length = window.length}
end

-- How many of the wanted calls may be made, and why no more.
local function allowed(scope, key_number, wanted, denial, cushion, request)
    local until_ms = math.max(scope.r, scope.p)
    if wanted > 0 and now < until_ms then return 0, {scope = key_number, refused = until_ms} end
    local calls = wanted
    if scope.r > 0 and calls > 1 then calls, denial = 1, {scope = key_number, refused = now + PROBE_MS} end
    local room
    for _, window in sorted(scope.w) do
        local kept = cushion.calls or math.ceil(window.limit * cushion.share)
        local above, granted = free(window) - kept, scope.pace.granted
        local turn = share(window, above + granted, request.turn_ms)
        local possible = math.max(math.floor(math.min(above, turn - granted) / request.cost), 0)
        room = math.min(room or math.huge, math.floor(turn / request.cost))
        if possible < calls then
            calls, denial = possible, {scope = key_number, window = told_window(window)}
            if math.floor(above / request.cost) <= possible then
                denial.cushion = kept
            else
                denial.turn = math.max(math.floor(turn / request.cost), 0)
            end
        end
    end
    scope.pace.room = math.max(room or 0, 0)
    return calls, denial
end

local function take(scope, calls, request)
    local used, pace = calls * request.cost, scope.pace
    for _, window in pairs(scope.w) do window.out = window.out + used end
    local count, least = promised(request.worths, calls), tonumber(pace.least)
    pace.promised = pace.promised + count
    if count < calls and (least <= 0 or request.worths[calls] < least) then pace.least = exact(request.worths[calls]) end
    pace.granted = pace.granted + used
    if scope.r > 0 then scope.p = now + PROBE_MS end
end

-- Grants calls of one request, whose scopes are the keys from `first` on.
local function reserve(request, first)
    local price = 0
    for at, cushion in ipairs(request.cushions) do
        local key, limit = KEYS[first + at], known(request.limits[at])
        local scope = load(key) or limit and new_scope()
        if scope then
            if limit then configure(scope, limit[1], limit[2]) end
            begin_turn(scope.pace, request.turn)
            price = price + tonumber(scope.pace.price)
            save(key, scope)
        end
    end
    local worthwhile = 0
    while request.worths[worthwhile + 1] and request.worths[worthwhile + 1] >= price do worthwhile = worthwhile + 1 end
    local calls, denial = request.fill and #request.worths or worthwhile, nil
    if calls < #request.worths then denial = {price = true} end
    for at, cushion in ipairs(request.cushions) do
        local scope = load(KEYS[first + at])
        if scope then
            if not request.fill then
                scope.pace.asked = scope.pace.asked + worthwhile - promised(request.worths, worthwhile)
            end
            calls, denial = allowed(scope, at, calls, denial, cushion, request)
            save(KEYS[first + at], scope)
        end
    end
    for at in ipairs(request.cushions) do
        local scope = load(KEYS[first + at])
        if scope and calls > 0 then
            take(scope, calls, request)
            save(KEYS[first + at], scope)
        end
    end
    return {calls = calls, denial = denial, price = exact(price)}
end

local function new_window(told)
    local ends, left = known(told.ends_ms), known(told.left) or known(told.limit)
    if not ends or not left then return nil end
    return {
        limit = known(told.limit) or left, left = left, ends = ends, length = math.max(told.length_ms, MIN_LENGTH_MS),
        told = told.at_ms, out = 0, before = 0, since = told.at_ms,
    }
end

local function tell(window, told)
    local ends, left = known(told.ends_ms) or window.ends, known(told.left) or window.left
    if ends <= window.ends - window.length then return end
    if told.at_ms > window.told or ends > window.ends + SAME_END_MS then
        window.ends, window.told = ends, math.max(window.told, told.at_ms)
        window.length = math.max(window.length, told.length_ms)
        window.left = left
        window.limit = known(told.limit) or math.max(window.limit, window.left)
    else
        window.left = math.min(window.left, left)
    end
    window.left = math.min(window.left, window.limit)
end

local function hear(scope, heard)
    local told_left = {}
    for _, told in ipairs(heard.told) do
        if known(told.left) then told_left[tostring(told.window)] = true end
    end
    for name, window in pairs(scope.w) do
        local before = math.min(heard.ended, window.before)
        window.before = window.before - before
        window.out = window.out - math.min(heard.ended - before, window.out)
        if not told_left[name] then window.left = math.max(window.left - heard.used, 0) end
    end
    for _, told in ipairs(heard.told) do
        local name = tostring(told.window)
        local _, count = sorted(scope.w)
        if scope.w[name] then
            tell(scope.w[name], told)
        elseif count < MAX_WINDOWS then
            scope.w[name] = new_window(told)
        end
    end
    if heard.refused_until_ms > 0 then
        scope.r = math.max(scope.r, heard.refused_until_ms)
    elseif heard.at_ms >= scope.r then
        scope.r, scope.p = 0, 0
    end
end

local function standing(scope)
    local windows = {}
    for _, window in sorted(scope.w) do
        windows[#windows + 1] = told_window(window)
    end
    return {refused = scope.r > now and scope.r or 0, price = scope.pace.price, windows = windows}
end

local answer
if step == 'reserve' then
    local grants, first = {}, 0
    for at, one in ipairs(request) do
        grants[at] = reserve(one, first)
        first = first + #one.cushions
    end
    answer = grants
elseif step == 'give_back' then
    for _, key in ipairs(KEYS) do
        local scope = load(key)
        if scope then
            for _, window in pairs(scope.w) do window.out = math.max(window.out - request, 0) end
            scope.pace.granted = math.max(scope.pace.granted - request, 0)
            scope.p = 0
            save(key, scope)
        end
    end
elseif step == 'hear' then
    answer = {}
    for at, key in ipairs(KEYS) do
        local scope = load(key) or new_scope()
        hear(scope, request[at])
        answer[at] = standing(scope)
        save(key, scope)
    end
elseif step == 'standing' then
    answer = {}
    for at, key in ipairs(KEYS) do
        local scope = load(key)
        answer[at] = scope and standing(scope) or cjson.null
    end
end
write()
return answer and cjson.encode(answer)
