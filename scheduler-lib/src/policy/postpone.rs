//! Where a job goes that was drained and gets no call.

use polling_model::{JobId, ScopeKey, SlotRing};

use super::{
    frequency::{Due, Frequency, Seen, of_minutes, text},
    spread::lot,
};
use crate::ledger::{Denial, WindowStanding};

/// Most slots over which jobs are spread that found a slot's calls spent.
const MOST_SLOTS: u64 = 60;

/// Over no more than this, or an interval, jobs are spread that wait for the same moment,
/// milliseconds: a day's window is not to begin for some of them in its last hour.
const LONGEST_SPREAD_MS: i64 = 3_600_000;

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
        Denial::Refused { scope, until_ms } => {
            let turn = denied.turn();
            refused(turn, &denied.seen, scope, *until_ms, denied.now_ms)
        }
        Denial::Cushion {
            scope,
            window,
            cushion,
        } => exhausted(
            denied.turn(),
            &denied.seen,
            (scope, window, *cushion),
            denied.now_ms,
        ),
        Denial::Paced { scope, turn, .. } => Due {
            at_ms: denied.a_later_slot(*turn),
            reason: format!(
                "{turn} calls of {scope} may be made every {}, and others had them: a later turn",
                text(denied.ring.width_ms())
            ),
        },
        Denial::Price => {
            let seen = &denied.seen;
            let worthwhile_ms = denied.frequency.worthwhile_ms(seen, denied.price);
            let at_ms = seen.look_again(worthwhile_ms, seen.interval_ms, denied.now_ms);
            let price = of_minutes(denied.price);
            seen.by_its_age(Due {
                at_ms,
                reason: format!("calls are scarce: waits until a poll saves {price} of delay"),
            })
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
    /// What is worth more than its price goes before others. That is who was left out before.
    fn turn(&self) -> Turn<'_> {
        let worth = self.frequency.worth(&self.seen, self.now_ms);
        let urgent = self.price > 0.0 && worth > self.price;
        let share = if urgent {
            (self.price / worth).sqrt()
        } else {
            1.0
        };
        Turn {
            share,
            ..Turn::of(self.id)
        }
    }

    /// One of as many slots as those who found no call will need, by lot: another in each slot.
    fn a_later_slot(&self, calls_a_slot: u64) -> i64 {
        let now = self.ring.current(self.now_ms);
        let slots = (self.others / calls_a_slot.max(1) + 1).min(MOST_SLOTS);
        let ahead = 1 + lot(self.id, now.0.unsigned_abs()) % slots;
        self.ring.start_ms(now.plus(ahead as i64))
    }
}

/// A job's turn among those that wait for the same moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn<'a> {
    id: &'a JobId,
    /// Over which part of the time they are spread.
    share: f64,
}

/// When a job is due while the channel refuses calls of its scope.
pub(super) fn refused(
    of: Turn<'_>,
    seen: &Seen<'_>,
    scope: &ScopeKey,
    until_ms: i64,
    now_ms: i64,
) -> Due {
    let turn_ms = of.spread_ms(seen, scope, until_ms, seen.interval_ms);
    let wait = text(until_ms.saturating_sub(now_ms));
    Due {
        at_ms: until_ms.saturating_add(turn_ms),
        reason: format!(
            "the channel refuses calls of {scope} for {wait}{}",
            turn(turn_ms)
        ),
    }
}

/// When a job is due while no more than its cushion is left of a scope's window.
pub(super) fn exhausted(
    of: Turn<'_>,
    seen: &Seen<'_>,
    (scope, window, cushion): (&ScopeKey, &WindowStanding, u64),
    now_ms: i64,
) -> Due {
    let turn_ms = of.spread_ms(seen, scope, window.ends_ms, window.length_ms);
    let WindowStanding { free, limit, .. } = window;
    let why = match free.saturating_sub(cushion) {
        0 => format!("{free} of {limit} calls of {scope} left, cushion {cushion}"),
        last => format!(
            "others had the last {last} of {limit} calls of {scope} above the cushion of {cushion}"
        ),
    };
    Due {
        at_ms: window.ends_ms.saturating_add(turn_ms),
        reason: format!(
            "{why}: next window, in {}{}",
            text(window.ends_ms.saturating_sub(now_ms)),
            turn(turn_ms),
        ),
    }
}

/// The part of a wait that keeps the jobs of a scope from coming all at once.
fn turn(turn_ms: i64) -> String {
    match turn_ms {
        0 => String::new(),
        _ => format!("; its turn is {} later", text(turn_ms)),
    }
}

impl<'a> Turn<'a> {
    /// The turn of a job that is not before others.
    pub(super) const fn of(id: &'a JobId) -> Self {
        Self { id, share: 1.0 }
    }

    /// The job's own point in a time that all jobs of a scope are spread over: by lot, since one that
    /// is always the same would be late in each window for some. A scope of its account alone needs
    /// no spread, and who is pinned by hand has none.
    fn spread_ms(self, seen: &Seen<'_>, scope: &ScopeKey, after_ms: i64, length_ms: i64) -> i64 {
        let before = scope.as_str().strip_suffix(seen.state.account.as_str());
        let own = before.is_some_and(|before| !before.ends_with(char::is_alphanumeric));
        if own || seen.pinned {
            return 0;
        }
        let longest_ms = seen.interval_ms.max(LONGEST_SPREAD_MS);
        let point = lot(self.id, after_ms.unsigned_abs() / 1000) as f64 / u64::MAX as f64;
        (point * self.share * length_ms.min(longest_ms) as f64) as i64
    }
}
