//! One window of a rate limit, as all replicas together know it.

use polling_model::{Allowance, caps};

use super::{WindowStanding, bounded};

/// Shortest window.
pub(super) const MIN_LENGTH_MS: i64 = 1000;

/// What was granted and not heard of for this long, and as long again, is taken to have been used,
/// although its window goes on: no lease is as long. The channel's next word tells better.
const UNHEARD_MS: i64 = 3_600_000;

/// Ends of a window that lie no further apart are the same: channels tell whole seconds.
const SAME_END_MS: i64 = 1000;

/// A window, in calls and UTC milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// As told; the most that was ever left, where the channel does not tell.
    pub(super) limit: i64,
    /// As last told, less what was heard of since.
    pub(super) left: i64,
    pub(super) ends_ms: i64,
    /// As told, or the longest time to its end that was seen.
    pub(super) length_ms: i64,
    /// When the channel said so.
    pub(super) told_ms: i64,
    /// Granted since `out_since_ms`, and not heard of yet.
    pub(super) out: i64,
    /// The same of the time before, or of the window before: those calls may count in this one.
    pub(super) out_before: i64,
    pub(super) out_since_ms: i64,
}

impl Window {
    /// Of a first report, unless it does not say how many or until when.
    pub(super) fn new(told: &Told) -> Option<Self> {
        let ends_ms = told.ends_ms?;
        let left = told.left.or(told.limit)?;
        Some(Self {
            limit: told.limit.unwrap_or(left),
            left,
            ends_ms,
            length_ms: told.length_ms.max(MIN_LENGTH_MS),
            told_ms: told.at_ms,
            out: 0,
            out_before: 0,
            out_since_ms: told.at_ms,
        })
    }

    /// Of a configured limit. The channel has not told of it: until it does, ours counts.
    pub(super) const fn configured(limit: i64, length_ms: i64, now_ms: i64) -> Self {
        Self {
            limit,
            left: limit,
            ends_ms: now_ms - now_ms.rem_euclid(length_ms) + length_ms,
            length_ms,
            told_ms: 0,
            out: 0,
            out_before: 0,
            out_since_ms: now_ms,
        }
    }

    /// Another limit was configured, and the channel has told none.
    pub(super) fn configure(&mut self, limit: i64) {
        if self.told_ms == 0 && limit != self.limit {
            self.left = (self.left + limit - self.limit).max(0);
            self.limit = limit;
        }
    }

    /// Goes on to the next window once this one has ended, and is not forgotten yet. What the
    /// channel will say of it is not known: the limit, until it is.
    pub(super) fn move_on(&mut self, now_ms: i64) {
        // Told by a clock that was ahead: the next word is newer.
        if self.told_ms > now_ms {
            self.told_ms = now_ms - 1;
        }
        self.out_since_ms = self.out_since_ms.min(now_ms);
        self.ends_ms = self
            .ends_ms
            .min(now_ms.saturating_add(self.length_ms) + SAME_END_MS);
        if now_ms >= self.ends_ms {
            self.left = self.limit;
            self.ends_ms += self.length_ms;
        } else if now_ms - self.out_since_ms >= UNHEARD_MS {
            self.left = (self.left - self.out_before).max(0);
        } else {
            return;
        }
        self.out_before = self.out;
        self.out = 0;
        self.out_since_ms = now_ms;
    }

    /// What may still be granted.
    pub(super) const fn free(&self) -> i64 {
        self.left - self.out - self.out_before
    }

    /// What one turn may use up: so many turns are left, this one included, and `granted` is what
    /// was granted in this one.
    pub(super) fn share(&self, cushion: i64, granted: i64, turn_ms: i64, now_ms: i64) -> i64 {
        let above = self.free() + granted - cushion;
        if turn_ms <= 0 {
            return above;
        }
        let turn_ends_ms = now_ms - now_ms.rem_euclid(turn_ms) + turn_ms;
        let after_this_ms = (self.ends_ms - turn_ends_ms).max(0);
        let turns = 1 + after_this_ms.div_euclid(turn_ms) + i64::from(after_this_ms % turn_ms > 0);
        above.div_euclid(turns) + i64::from(above.rem_euclid(turns) > 0)
    }

    pub(super) fn standing(&self) -> WindowStanding {
        WindowStanding {
            limit: unsigned(self.limit),
            free: unsigned(self.free()),
            granted: unsigned(self.out + self.out_before),
            ends_ms: self.ends_ms,
            length_ms: self.length_ms,
        }
    }

    /// Calls that were granted have ended. Older grants come first.
    pub(super) fn ended(&mut self, calls: i64) {
        let before = calls.min(self.out_before);
        self.out_before -= before;
        self.out -= (calls - before).min(self.out);
    }

    /// Takes over what the channel says. It knows better than we: others use the limit, too. But
    /// what is older than the last word only lowers what is left.
    pub(super) fn tell(&mut self, told: &Told) {
        let ends_ms = told.ends_ms.unwrap_or(self.ends_ms);
        if ends_ms <= self.ends_ms - self.length_ms {
            return; // of a window before
        }
        let newer = told.at_ms > self.told_ms || ends_ms > self.ends_ms + SAME_END_MS;
        if newer {
            self.ends_ms = ends_ms;
            self.told_ms = self.told_ms.max(told.at_ms);
            self.length_ms = self.length_ms.max(told.length_ms);
            self.left = told.left.unwrap_or(self.left);
            self.limit = told.limit.unwrap_or_else(|| self.limit.max(self.left));
        } else {
            self.left = self.left.min(told.left.unwrap_or(self.left));
        }
        self.left = self.left.min(self.limit);
    }

    /// After this nothing is known of it any more.
    pub(super) const fn forgotten_ms(&self) -> i64 {
        self.ends_ms.saturating_add(self.length_ms)
    }
}

/// What a channel says about one window, within bounds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Told {
    /// Which of the scope's windows: its length as told, or 0.
    pub(super) window: i64,
    pub(super) limit: Option<i64>,
    pub(super) left: Option<i64>,
    pub(super) ends_ms: Option<i64>,
    /// As told, or the time to its end.
    pub(super) length_ms: i64,
    pub(super) at_ms: i64,
}

impl Told {
    /// Said in a response of `at_ms`, which is not later than `now_ms`.
    pub(super) fn new(allowance: &Allowance, at_ms: i64, now_ms: i64) -> Self {
        let sane = allowance.clone().clamped(now_ms);
        let ends_ms = sane
            .reset_at_ms
            .or_else(|| Some(now_ms.saturating_add(sane.window_ms?)));
        let to_end_ms = ends_ms.map_or(0, |ends_ms| ends_ms.saturating_sub(at_ms));
        Self {
            window: sane.window_ms.unwrap_or(0),
            limit: sane.limit.map(bounded),
            left: sane.remaining.map(bounded),
            ends_ms,
            length_ms: sane
                .window_ms
                .unwrap_or(to_end_ms)
                .clamp(0, caps::MAX_RESET_AHEAD_MS),
            at_ms,
        }
    }
}

/// Zero for what is less.
pub(super) fn unsigned(calls: i64) -> u64 {
    u64::try_from(calls).unwrap_or(0)
}
