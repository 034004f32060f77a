-- Reads a queue's settings. Runs behind the prelude and evicting.lua.
-- Returns  visibility_ms, max_receives, dead_letter, capacity
return evicting() or set
