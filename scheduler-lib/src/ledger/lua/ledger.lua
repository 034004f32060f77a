-- The steps of the ledger, as scope.rs and window.rs have them; a test holds the two together.
-- KEYS: scopes. ARGV: the step, now in UTC milliseconds, its request as JSON. A record is
-- {r = refused until, p = probed until, w = {length as told = {limit, left, ends, length, told, out, out before}}}.

local MAX_WINDOWS, PROBE_MS, REMEMBERED_MS = 8, 10000, 3600000
local MIN_LENGTH_MS, SAME_END_MS = 1000, 1000

local step, now, request = ARGV[1], tonumber(ARGV[2]), cjson.decode(ARGV[3])
local loaded = {}

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
    if not scope then
        local text = redis.call('GET', key)
        scope = text and cjson.decode(text) or false
        loaded[key] = scope
    end
    if not scope or forgotten(scope) <= now then
        loaded[key] = false
        return nil
    end
    for name, window in pairs(scope.w) do
        if now >= window.ends + window.length then
            scope.w[name] = nil
        elseif now >= window.ends then
            window.before, window.out, window.left = window.out, 0, window.limit
            window.ends = window.ends + window.length
        end
    end
    return scope
end

local function save(key, scope)
    loaded[key] = scope
    local lifetime = forgotten(scope) - now
    if lifetime > 0 then
        redis.call('SET', key, cjson.encode(scope), 'PX', lifetime)
    else
        loaded[key] = false
        redis.call('DEL', key)
    end
end

local function denied(calls, denial)
    return {calls = calls, denial = denial}
end

local function allowed(scope, grant, cushion)
    if grant.calls == 0 then return grant end
    local until_ms = math.max(scope.r, scope.p)
    if now < until_ms then return denied(0, {refused = until_ms}) end
    if scope.r > 0 and grant.calls > 1 then grant = denied(1, {refused = now + PROBE_MS}) end
    for _, window in sorted(scope.w) do
        local kept = cushion.calls or math.ceil(window.limit * cushion.share)
        local calls = math.max(math.floor((free(window) - kept) / request.cost), 0)
        if calls < grant.calls then
            grant = denied(calls, {left = math.max(free(window), 0), cushion = kept, ends = window.ends})
        end
    end
    return grant
end

local function take(scope, calls)
    for _, window in pairs(scope.w) do window.out = window.out + calls * request.cost end
    if scope.r > 0 then scope.p = now + PROBE_MS end
end

local function new_window(told)
    local ends, left = known(told.ends_ms), known(told.left) or known(told.limit)
    if not ends or not left then return nil end
    return {
        limit = known(told.limit) or left, left = left, ends = ends, length = math.max(told.length_ms, MIN_LENGTH_MS),
        told = told.at_ms, out = 0, before = 0,
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
        local before = math.min(heard.used, window.before)
        window.before = window.before - before
        window.out = window.out - math.min(heard.used - before, window.out)
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
        windows[#windows + 1] = {math.max(free(window), 0), window.limit, window.ends, window.length}
    end
    return {refused = scope.r > now and scope.r or 0, windows = windows}
end

if step == 'reserve' then
    local grant = {calls = request.calls}
    for at, key in ipairs(KEYS) do
        local scope = load(key)
        if scope then grant = allowed(scope, grant, request.cushions[at]) end
    end
    for _, key in ipairs(KEYS) do
        local scope = load(key)
        if scope and grant.calls > 0 then
            take(scope, grant.calls)
            save(key, scope)
        end
    end
    return cjson.encode(grant)
elseif step == 'give_back' then
    for _, key in ipairs(KEYS) do
        local scope = load(key)
        if scope then
            for _, window in pairs(scope.w) do
                window.out = math.max(window.out - request.calls * request.cost, 0)
            end
            scope.p = 0
            save(key, scope)
        end
    end
elseif step == 'hear' then
    for at, key in ipairs(KEYS) do
        local scope = load(key) or {r = 0, p = 0, w = {}}
        hear(scope, request[at])
        save(key, scope)
    end
elseif step == 'standing' then
    local standings = {}
    for at, key in ipairs(KEYS) do
        local scope = load(key)
        standings[at] = scope and standing(scope) or cjson.null
    end
    return cjson.encode(standings)
end
