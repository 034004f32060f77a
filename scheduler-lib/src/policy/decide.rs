//! The decision itself.

use polling_model::{Allowance, ErrorClass, Failure, JobId, ServiceLevel, SlotRing, caps};

use super::{
    rules::{Backoff, ErrorRule, JobTypeRules},
    spread::phase,
};
use crate::{
    duration,
    store::{Hold, JobState, Next, Strike},
};

/// All that a decision goes by.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The job.
    pub id: &'a JobId,
    /// Its record as it stands.
    pub state: &'a JobState,
    /// The rules of its type.
    pub rules: &'a JobTypeRules,
    /// The account's service level now.
    pub level: &'a ServiceLevel,
    /// How the dispatch ended.
    pub ended: Ended<'a>,
    /// The slots in which it can be placed.
    pub ring: SlotRing,
    /// UTC milliseconds.
    pub now_ms: i64,
    /// Random, in `[0, 1)`.
    pub jitter: f64,
}

/// How a dispatch ended.
#[derive(Debug, Clone, Copy)]
pub enum Ended<'a> {
    /// With a completion.
    Completed {
        /// Whether the poll as a whole succeeded, be it stopped early.
        succeeded: bool,
        /// Its error, or the one that stopped it.
        failure: Option<&'a Failure>,
        /// There was more than it could fetch.
        saturated: bool,
        /// What the channel said about its limits.
        allowances: &'a [Allowance],
    },
    /// Without one, several times over: its message is a dead letter.
    DeadLetter,
}

/// Where a job goes, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Where.
    pub next: Next,
    /// Consecutive polls that failed, this one included.
    pub attempts: u32,
    /// What this does to the strikes.
    pub strike: Strike,
    /// Why, in words.
    pub reason: String,
}

/// Decides where a job goes after a dispatch.
///
/// In order: an error's rule, or the interval; then not before the channel's limits allow; and at
/// once if somebody asked for it while the job was in flight.
#[must_use]
pub fn decide(situation: &Situation<'_>) -> Placement {
    let placement = match situation.ended {
        Ended::DeadLetter => situation.after_dead_letter(),
        Ended::Completed {
            succeeded: false,
            failure: Some(failure),
            ..
        } => situation.after_failure(failure),
        Ended::Completed {
            failure, saturated, ..
        } => situation.after_success(failure, saturated),
    };
    let placement = situation.within_limits(placement);
    situation.asked_for(situation.aligned(placement))
}

impl Situation<'_> {
    fn after_success(&self, stopped: Option<&Failure>, saturated: bool) -> Placement {
        let (due_ms, reason) = if saturated && stopped.is_none() {
            (
                self.now_ms,
                "saturated: there was more than one poll could fetch".to_owned(),
            )
        } else {
            self.next_interval()
        };
        let due_ms = due_ms.max(self.retry_after_ms(stopped).unwrap_or(i64::MIN));
        Placement {
            next: Next::Due(due_ms),
            attempts: 0,
            strike: Strike::Clear,
            reason,
        }
    }

    fn after_failure(&self, failure: &Failure) -> Placement {
        let class = failure.class;
        let attempts = self
            .state
            .attempts
            .saturating_add(u32::from(class.is_failure()));
        let rule = self.rules.error_rule(class, failure.code.as_ref());
        let named = match &failure.code {
            Some(code) => format!("{class} ({code})"),
            None => class.to_string(),
        };
        let (next, reason) = match (class, self.retry_after_ms(Some(failure))) {
            (ErrorClass::Interrupted, _) => {
                (Next::Due(self.now_ms), format!("{named}: again at once"))
            }
            (_, Some(due_ms)) if rule.hold().is_none() && rule != ErrorRule::Remove => (
                Next::Due(due_ms),
                format!("{named}: the channel asked to wait"),
            ),
            _ => self.follow(rule, attempts, &named),
        };
        Placement {
            next,
            attempts,
            strike: Strike::Clear,
            reason,
        }
    }

    fn after_dead_letter(&self) -> Placement {
        let attempts = self.state.attempts.saturating_add(1);
        // Whatever the rule for passing errors is, a dead letter must not remove a job.
        let (next, reason) = match self.rules.error_rule(ErrorClass::Transient, None) {
            ErrorRule::Backoff(backoff) => self.back_off(backoff, attempts, "dead letter"),
            _ => {
                let (due_ms, _) = self.next_interval();
                (Next::Due(due_ms), "dead letter".to_owned())
            }
        };
        Placement {
            next,
            attempts,
            strike: Strike::Add {
                limit: self.rules.max_strikes,
            },
            reason,
        }
    }

    fn follow(&self, rule: ErrorRule, attempts: u32, named: &str) -> (Next, String) {
        match rule {
            ErrorRule::Backoff(backoff) => self.back_off(backoff, attempts.max(1), named),
            ErrorRule::Interval => {
                let (due_ms, interval) = self.next_interval();
                (Next::Due(due_ms), format!("{named}: {interval}"))
            }
            ErrorRule::Pause => (Next::Hold(Hold::Paused), format!("{named}: paused by rule")),
            ErrorRule::Park => (Next::Hold(Hold::Parked), format!("{named}: parked by rule")),
            ErrorRule::Remove => (Next::Remove, format!("{named}: removed by rule")),
        }
    }

    fn back_off(&self, backoff: Backoff, attempts: u32, named: &str) -> (Next, String) {
        let delay_ms = backoff.delay_ms(attempts, self.jitter);
        let wait = duration::text(std::time::Duration::from_millis(delay_ms.unsigned_abs()));
        (
            Next::Due(self.now_ms.saturating_add(delay_ms)),
            format!("{named}: attempt {attempts} failed, backing off {wait}"),
        )
    }

    /// The first time after now on the job's own grid. Missed times are skipped, and a time is
    /// never met twice: it is strictly after now and after the last.
    fn next_interval(&self) -> (i64, String) {
        let interval_ms = self.rules.interval_ms(self.level).max(1);
        let behind_ms = self.now_ms.saturating_sub(self.state.due_ms).max(0);
        let steps = behind_ms / interval_ms + 1;
        let due_ms = self
            .state
            .due_ms
            .saturating_add(steps.saturating_mul(interval_ms));
        let interval = duration::text(std::time::Duration::from_millis(interval_ms.unsigned_abs()));
        (
            due_ms,
            format!("interval {interval} of level {}", self.level),
        )
    }

    /// When the channel said to come again, clamped: it is untrusted.
    fn retry_after_ms(&self, failure: Option<&Failure>) -> Option<i64> {
        let wait_ms = failure?.retry_after_ms?.clamp(0, caps::MAX_RESET_AHEAD_MS);
        Some(self.now_ms.saturating_add(wait_ms))
    }

    /// Moves a job whose limit's rest is below its cushion into the next window, spread over it.
    fn within_limits(&self, placement: Placement) -> Placement {
        let (Next::Due(due_ms), Some((reset_ms, scope))) = (placement.next, self.exhausted_until())
        else {
            return placement;
        };
        let spread_ms = (phase(self.id) * self.rules.interval_ms(self.level) as f64) as i64;
        let earliest_ms = reset_ms.saturating_add(spread_ms);
        if due_ms >= earliest_ms {
            return placement;
        }
        let reason = format!("cushion of {scope} reached: next window");
        Placement {
            next: Next::Due(earliest_ms),
            reason,
            ..placement
        }
    }

    /// The end of the last window whose rest is below the cushion, and its scope.
    fn exhausted_until(&self) -> Option<(i64, String)> {
        let Ended::Completed { allowances, .. } = self.ended else {
            return None;
        };
        // With none left a call would be refused, whatever the cushion.
        let cushion = self.state.cushion.unwrap_or(self.rules.cushion).max(1);
        let exhausted = allowances
            .iter()
            .map(|allowance| allowance.clone().clamped(self.now_ms));
        let exhausted =
            exhausted.filter(|allowance| allowance.remaining.is_some_and(|left| left < cushion));
        let ends = exhausted.filter_map(|allowance| {
            Some((self.window_end_ms(&allowance)?, allowance.scope.to_string()))
        });
        ends.max()
    }

    fn window_end_ms(&self, allowance: &Allowance) -> Option<i64> {
        // A window of unknown end ends at the latest after its own length.
        let by_length = || {
            allowance
                .window_ms
                .map(|window_ms| self.now_ms.saturating_add(window_ms))
        };
        allowance.reset_at_ms.or_else(by_length)
    }

    /// Off its grid a job may as well be due when its slot begins: it goes out no earlier, and its
    /// next times fall on slots again.
    fn aligned(&self, placement: Placement) -> Placement {
        let Next::Due(due_ms) = placement.next else {
            return placement;
        };
        let grid_ms = self.rules.interval_ms(self.level).max(1);
        if due_ms.saturating_sub(self.state.due_ms) % grid_ms == 0 {
            return placement;
        }
        let due_ms = self.ring.start_ms(self.ring.slot_of(due_ms));
        Placement {
            next: Next::Due(due_ms),
            ..placement
        }
    }

    fn asked_for(&self, placement: Placement) -> Placement {
        if !self.state.run_now || placement.next == Next::Remove {
            return placement;
        }
        Placement {
            next: Next::Now,
            reason: "run now, asked for while in flight".to_owned(),
            ..placement
        }
    }
}
