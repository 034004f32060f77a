//! What a poll is worth, and when it is worth its price.

use std::{fmt, time::Duration};

use polling_model::ServiceLevel;

use super::{
    JobTypeRules, MAX_WEIGHT, Override,
    adaptive::{Activity, EARLY},
};
use crate::{
    duration,
    ledger::PROMISED,
    store::{JobState, Reason},
};

/// How the reason begins of a job that somebody asked to be polled at once.
pub(super) const RUN_NOW: &str = "run now";

/// How the reason begins of a job that had more to fetch than one poll could.
pub(crate) const SATURATED: &str = "saturated";

/// As so many items counts that more waits than one poll could fetch.
const BURST_ITEMS: f64 = 20.0;

/// How often jobs are polled that are well, and which go first when there are too few calls.
///
/// The cycle goes by a **price**: what a call has to be worth, in minutes of delay that it saves.
/// It is 0 while all calls that are asked for can be made.
///
/// A policy that polls twice as often in the hours when a channel is busy:
///
/// ```
/// use scheduler_lib::policy::{Due, FixedIntervals, Frequency, Seen};
///
/// #[derive(Debug)]
/// struct ByDay;
///
/// impl ByDay {
///     fn now<'a>(job: &Seen<'a>, now_ms: i64) -> Seen<'a> {
///         let hour = now_ms / 3_600_000 % 24;
///         let interval_ms = match hour {
///             8..20 => job.interval_ms / 2,
///             _ => job.interval_ms,
///         };
///         Seen { interval_ms, ..*job }
///     }
/// }
///
/// impl Frequency for ByDay {
///     fn worth(&self, job: &Seen<'_>, now_ms: i64) -> f64 {
///         FixedIntervals.worth(&Self::now(job, now_ms), now_ms)
///     }
///
///     fn worthwhile_ms(&self, job: &Seen<'_>, worth: f64) -> i64 {
///         FixedIntervals.worthwhile_ms(job, worth)
///     }
///
///     fn due(&self, job: &Seen<'_>, price: f64, now_ms: i64) -> Due {
///         FixedIntervals.due(&Self::now(job, now_ms), price, now_ms)
///     }
/// }
/// ```
///
/// [`ChannelBuilder::job_type_by`](crate::ChannelBuilder::job_type_by) takes it.
pub trait Frequency: Send + Sync + fmt::Debug {
    /// What polling the job at `now_ms` is worth, in minutes of delay; finite, and not negative.
    fn worth(&self, job: &Seen<'_>, now_ms: i64) -> f64;

    /// When a poll is worth so much; UTC milliseconds.
    fn worthwhile_ms(&self, job: &Seen<'_>, worth: f64) -> i64;

    /// When the job is polled next, at a price for a call.
    fn due(&self, job: &Seen<'_>, price: f64, now_ms: i64) -> Due;

    /// What to remember of a job after a poll at `now_ms` brought items that were created then,
    /// oldest first; `None` leaves what is remembered.
    fn polled(&self, _job: &Seen<'_>, _now_ms: i64, _created_ms: &[i64]) -> Option<Activity> {
        None
    }
}

/// A job as a [`Frequency`] sees it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its record.
    pub state: &'a JobState,
    /// Its level.
    pub level: &'a ServiceLevel,
    /// Its interval, in milliseconds.
    pub interval_ms: i64,
    /// Somebody pinned it to that interval: it is also the longest time between two polls.
    pub pinned: bool,
    /// The longest time between two polls, in milliseconds.
    pub max_age_ms: Option<i64>,
    /// What a minute of its delay counts.
    pub weight: f64,
    /// When its last poll ended, UTC milliseconds; 0 before the first.
    pub polled_ms: i64,
    /// What is remembered of its items.
    pub activity: Option<Activity>,
}

/// When a job is polled next, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// UTC milliseconds.
    pub at_ms: i64,
    /// Why, in words.
    pub reason: String,
}

impl<'a> Seen<'a> {
    /// The job as it is at `now_ms` under its rules, and what was decided by hand over them; polled
    /// last at `polled_ms`.
    #[must_use]
    pub fn new(
        rules: &JobTypeRules,
        state: &'a JobState,
        level: &'a ServiceLevel,
        polled_ms: i64,
        now_ms: i64,
    ) -> Self {
        let pin_ms = state.pace.and_then(Override::pin_ms);
        let factor = state.pace.map_or(1.0, |pace| pace.factor(now_ms));
        let weight = rules.weight(level);
        Self {
            state,
            level,
            interval_ms: pin_ms.unwrap_or_else(|| rules.interval_ms(level)).max(1),
            pinned: pin_ms.is_some(),
            max_age_ms: pin_ms.or_else(|| rules.max_age_ms(level)),
            weight: (weight * factor).min(MAX_WEIGHT.max(weight)),
            polled_ms,
            activity: state.activity,
        }
    }

    /// When it comes of age, whatever a poll is worth: at once before the first.
    #[must_use]
    pub fn of_age_ms(&self) -> Option<i64> {
        if self.polled_ms == 0 {
            return Some(0);
        }
        Some(self.polled_ms.saturating_add(self.max_age_ms?))
    }

    /// The worth of a poll that is promised: above every price. The first is, one that came of age,
    /// and one that somebody asked for.
    #[must_use]
    pub fn promised(&self, now_ms: i64) -> Option<f64> {
        let of_age = self
            .of_age_ms()
            .is_some_and(|of_age_ms| of_age_ms <= now_ms);
        let mut reasons = self.since_settled();
        let asked_for = reasons.any(|reason| reason.text.starts_with(RUN_NOW));
        let promised = of_age || asked_for;
        promised.then_some(PROMISED * (1.0 + self.weight))
    }

    /// At least what a poll is worth that finds more waiting than the last could fetch: as much as
    /// one that brings many items. 0 if there is no more.
    #[must_use]
    pub fn burst_worth(&self) -> f64 {
        let mut reasons = self.since_settled();
        let saturated = reasons.any(|reason| reason.text.starts_with(SATURATED));
        // Once it was polled again, that poll tells.
        match saturated && self.polled_ms == self.state.settled_ms {
            true => self.weight * BURST_ITEMS * minutes(self.interval_ms) / 2.0,
            false => 0.0,
        }
    }

    /// Why it was placed since its last poll was settled, and by that: however often it was put off,
    /// what it was placed for still counts.
    fn since_settled(&self) -> impl Iterator<Item = &'a Reason> {
        let by_settling = Some(self.state.settled_ms);
        let mut ended = false;
        self.state.reasons.iter().take_while(move |reason| {
            let before = ended;
            ended |= reason.at_ms == by_settling;
            !before
        })
    }

    /// Its interval in words.
    fn interval_text(&self) -> String {
        let interval = text(self.interval_ms);
        match self.pinned {
            true => ["pinned to ", &interval, " by hand"].concat(),
            false => ["every ", &interval].concat(),
        }
    }

    /// A price may be high for a while only, such as after an outage, when all jobs are late: a job
    /// that waits for it to be worth it is looked at again after so long, or after half as long as
    /// it has waited.
    pub(super) fn look_again(&self, at_ms: i64, after_ms: i64, now_ms: i64) -> i64 {
        let waited_ms = now_ms.saturating_sub(self.polled_ms);
        let waited_ms = if self.polled_ms == 0 { 0 } else { waited_ms };
        at_ms.min(now_ms.saturating_add(after_ms.max(waited_ms / 2)))
    }

    /// Not after it comes of age.
    pub(super) fn by_its_age(&self, due: Due) -> Due {
        match self.of_age_ms() {
            Some(at_ms) if self.polled_ms > 0 && at_ms < due.at_ms && self.pinned => Due {
                at_ms,
                reason: self.interval_text(),
            },
            Some(at_ms) if self.polled_ms > 0 && at_ms < due.at_ms => Due {
                at_ms,
                reason: format!(
                    "its greatest age of {} (level {})",
                    text(self.max_age_ms.unwrap_or(0)),
                    self.level
                ),
            },
            _ => due,
        }
    }
}

/// The interval of each level, and longer ones as calls become scarce.
///
/// To be comparable with what else uses the same limits, a job is taken to bring one item in each
/// interval: then a poll after `s` minutes is worth `w s² / (2 · interval)`, and scarce calls
/// stretch intervals as `1 / √w`.
#[derive(Debug, Clone, Copy, Default)]
pub struct FixedIntervals;

impl Frequency for FixedIntervals {
    fn worth(&self, job: &Seen<'_>, now_ms: i64) -> f64 {
        // Whoever comes before its interval has ended was asked for: no less than others then.
        let waited_ms = now_ms.saturating_sub(job.polled_ms).max(job.interval_ms);
        let worth = job.weight * minutes(waited_ms).powi(2) / (2.0 * minutes(job.interval_ms));
        job.promised(now_ms)
            .unwrap_or_else(|| worth.max(job.burst_worth()))
    }

    fn worthwhile_ms(&self, job: &Seen<'_>, worth: f64) -> i64 {
        let after_min = (2.0 * minutes(job.interval_ms) * worth / job.weight).sqrt();
        job.polled_ms
            .saturating_add((after_min * MS_PER_MINUTE) as i64)
    }

    fn due(&self, job: &Seen<'_>, price: f64, now_ms: i64) -> Due {
        let due = Due {
            at_ms: next_on_grid(job, now_ms),
            reason: job.interval_text(),
        };
        let worthwhile_ms = self.worthwhile_ms(job, price * EARLY);
        if worthwhile_ms <= due.at_ms {
            return due;
        }
        let at_ms = job.look_again(worthwhile_ms, 2 * job.interval_ms, now_ms);
        let least = if at_ms < worthwhile_ms {
            "at least "
        } else {
            ""
        };
        job.by_its_age(Due {
            at_ms: at_ms.max(due.at_ms),
            reason: format!(
                "{}, stretched to {least}{}: calls are scarce, a poll has to save {} of delay",
                due.reason,
                text(at_ms.saturating_sub(job.polled_ms)),
                of_minutes(price * EARLY),
            ),
        })
    }
}

/// The first time after now on the job's own grid. Missed times are skipped, and a time is never
/// met twice: it is strictly after now and after the last.
fn next_on_grid(job: &Seen<'_>, now_ms: i64) -> i64 {
    let (interval_ms, due_ms) = (job.interval_ms, job.state.due_ms);
    let behind_ms = now_ms.saturating_sub(due_ms).max(0);
    let steps = behind_ms / interval_ms + 1;
    due_ms.saturating_add(steps.saturating_mul(interval_ms))
}

const MS_PER_MINUTE: f64 = 60_000.0;

fn minutes(ms: i64) -> f64 {
    ms as f64 / MS_PER_MINUTE
}

/// A time in words, to the second.
pub(super) fn text(ms: i64) -> String {
    let seconds = (ms.max(0) as u64).div_ceil(1000);
    duration::text(Duration::from_secs(seconds))
}

/// Minutes of delay in words.
pub(super) fn of_minutes(minutes: f64) -> String {
    match minutes {
        0.0..10.0 => format!("{minutes:.2} min"),
        _ => format!("{minutes:.0} min"),
    }
}
