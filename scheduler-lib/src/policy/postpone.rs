//! Where a job goes that was drained and gets no call.

use polling_model::{JobId, ScopeKey, SlotRing};

use super::{
    frequency::{Due, Frequency, Seen, of_minutes, text},
    spread::{lot, phase},
};
use crate::ledger::Denial;

/// Most slots over which jobs are spread that found a slot's calls spent.
const MOST_SLOTS: u64 = 60;

/// A drained job that gets no call, and what the others of its scopes got.
#[derive(Debug, Clone, Copy)]
pub struct Denied<'a> {
    /// The job.
    pub id: &'a JobId,
    /// Its record and its rules.
    pub seen: Seen<'a>,
    /// How often jobs of its type are polled.
    pub frequency: &'a dyn Frequency,
    /// What kept it back.
    pub denial: &'a Denial,
    /// What a call has to be worth, in minutes of delay.
    pub price: f64,
    /// How many others found no call with it.
    pub others: u64,
    /// The slots in which it can be placed.
    pub ring: SlotRing,
    /// UTC milliseconds.
    pub now_ms: i64,
}

/// When a job is looked at next that was drained and gets no call; after this slot.
#[must_use]
pub fn postpone(denied: &Denied<'_>) -> Due {
    let due = match denied.denial {
        Denial::Refused { scope, until_ms } => Due {
            at_ms: denied.after(*until_ms, scope, denied.seen.interval_ms),
            reason: format!(
                "the channel refuses calls of {scope} for {}",
                denied.until(*until_ms)
            ),
        },
        Denial::Cushion {
            scope,
            window,
            cushion,
        } => Due {
            at_ms: denied.after(window.ends_ms, scope, window.length_ms),
            reason: format!(
                "{} of {} calls of {scope} left, cushion {cushion}: next window, in {}",
                window.free,
                window.limit,
                denied.until(window.ends_ms),
            ),
        },
        Denial::Paced { scope, turn, .. } => Due {
            at_ms: denied.a_later_slot(*turn),
            reason: format!("{turn} calls of {scope} a slot are spent: a later slot"),
        },
        Denial::Price => {
            let due = denied
                .frequency
                .due(&denied.seen, denied.price, denied.now_ms);
            let price = of_minutes(denied.price);
            Due {
                at_ms: due.at_ms,
                reason: format!("calls are scarce: waits until one saves {price} of delay"),
            }
        }
    };
    let next_ms = denied
        .ring
        .start_ms(denied.ring.current(denied.now_ms).plus(1));
    Due {
        at_ms: due.at_ms.max(next_ms),
        ..due
    }
}

impl Denied<'_> {
    fn until(&self, at_ms: i64) -> String {
        text(at_ms.saturating_sub(self.now_ms))
    }

    fn after(&self, at_ms: i64, scope: &ScopeKey, length_ms: i64) -> i64 {
        at_ms.saturating_add(spread_ms(self.id, &self.seen, scope, length_ms))
    }

    /// One of as many slots as those who found no call will need, by lot: another in each slot.
    fn a_later_slot(&self, calls_a_slot: u64) -> i64 {
        let now = self.ring.current(self.now_ms);
        let slots = (self.others / calls_a_slot.max(1) + 1).min(MOST_SLOTS);
        let ahead = 1 + lot(self.id, now.0.unsigned_abs()) % slots;
        self.ring.start_ms(now.plus(ahead as i64))
    }
}

/// The job's own point in a time that all jobs of a scope are spread over. A scope of its account
/// alone needs no spread.
pub(super) fn spread_ms(id: &JobId, seen: &Seen<'_>, scope: &ScopeKey, length_ms: i64) -> i64 {
    if scope.as_str().ends_with(seen.state.account.as_str()) {
        return 0;
    }
    (phase(id) * length_ms as f64) as i64
}
