//! The decision itself.

use polling_model::{ErrorClass, Failure, JobId, ServiceLevel, SlotRing, caps};

use super::{
    adaptive::Activity,
    error_rule::{Backoff, ErrorRule},
    frequency::{Due, Frequency, RUN_NOW, SATURATED, Seen, text},
    limited::Limited,
    postpone::{Turn, exhausted, refused},
    rules::JobTypeRules,
};
use crate::{
    ledger::{Claim, Standing},
    store::{Hold, JobState, Next, Strike},
};

/// Why a job is placed whose message is a dead letter.
const UNFINISHED: &str = "workers gave up on its message";

/// Most characters of an error's message that a reason tells.
const MAX_SAID: usize = 80;

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
    /// How often jobs of its type are polled.
    pub frequency: &'a dyn Frequency,
    /// The scopes in which its calls count, and how they stand.
    pub scopes: &'a [(Claim, Standing)],
    /// What is remembered of its items, those of this dispatch included.
    pub activity: Option<Activity>,
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
    /// What keeps it from being due when its rules ask for it.
    pub limited: Option<Limited>,
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
                format!("{SATURATED}: there was more than one poll could fetch"),
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
            limited: None,
        }
    }

    fn after_failure(&self, failure: &Failure) -> Placement {
        let class = failure.class;
        let attempts = self
            .state
            .attempts
            .saturating_add(u32::from(class.is_failure()));
        let rule = self.rules.error_rule(class, failure.code.as_ref());
        let named = named(failure);
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
            limited: None,
        }
    }

    fn after_dead_letter(&self) -> Placement {
        let attempts = self.state.attempts.saturating_add(1);
        // Whatever the rule for passing errors is, a dead letter must not remove a job.
        let (next, reason) = match self.rules.error_rule(ErrorClass::Transient, None) {
            ErrorRule::Backoff(backoff) => self.back_off(backoff, attempts, UNFINISHED),
            _ => {
                let (due_ms, interval) = self.next_interval();
                (Next::Due(due_ms), format!("{UNFINISHED}: {interval}"))
            }
        };
        Placement {
            next,
            attempts,
            strike: Strike::Add {
                limit: self.rules.max_strikes,
            },
            reason,
            limited: None,
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
        let wait = text(delay_ms);
        (
            Next::Due(self.now_ms.saturating_add(delay_ms)),
            format!("{named}: attempt {attempts} failed, backing off {wait}"),
        )
    }

    fn seen(&self) -> Seen<'_> {
        Seen {
            activity: self.activity,
            ..Seen::new(self.rules, self.state, self.level, self.now_ms, self.now_ms)
        }
    }

    /// When a job is polled next that is well.
    fn next_interval(&self) -> (i64, String) {
        let price = self.scopes.iter().map(|(_, standing)| standing.price).sum();
        let Due { at_ms, reason } = self.frequency.due(&self.seen(), price, self.now_ms);
        (at_ms, reason)
    }

    /// When the channel said to come again, clamped: it is untrusted.
    fn retry_after_ms(&self, failure: Option<&Failure>) -> Option<i64> {
        let wait_ms = failure?.retry_after_ms?.clamp(0, caps::MAX_RESET_AHEAD_MS);
        Some(self.now_ms.saturating_add(wait_ms))
    }

    /// Not before its scopes have calls left above its cushions.
    fn within_limits(&self, placement: Placement) -> Placement {
        let (Next::Due(due_ms), Some((limit, by))) = (placement.next, self.limited()) else {
            return placement;
        };
        if due_ms >= limit.at_ms {
            return placement;
        }
        // That more waits is remembered: it goes first when there are calls again.
        let reason = match placement.reason.starts_with(SATURATED) {
            true => format!("{SATURATED}, but {}", limit.reason),
            false => limit.reason,
        };
        Placement {
            next: Next::Due(limit.at_ms),
            reason,
            limited: Some(by),
            ..placement
        }
    }

    /// The last time at which a scope lets calls through again that does not now, spread over what
    /// follows.
    fn limited(&self) -> Option<(Due, Limited)> {
        let cost = u64::from(self.rules.cost);
        let seen = self.seen();
        let turn = Turn::of(self.id);
        let limits = self.scopes.iter().flat_map(|(claim, standing)| {
            let scope = &claim.scope;
            let refused = standing
                .refused_until_ms
                .map(|until_ms| refused(turn, &seen, scope, until_ms, self.now_ms))
                .map(|due| (due, Limited::Refused));
            let exhausted = standing.windows.iter().filter_map(move |window| {
                let cushion = claim.cushion.calls_of(window.limit);
                let enough = window.free >= cushion.saturating_add(cost);
                let spent = (scope, window, cushion);
                let limited = || exhausted(turn, &seen, spent, self.now_ms);
                (!enough).then(|| (limited(), Limited::of_window(window, cushion)))
            });
            refused.into_iter().chain(exhausted)
        });
        limits.max_by_key(|(limit, _)| limit.at_ms)
    }

    /// Off its grid a job may as well be due when its slot begins: it goes out no earlier, and its
    /// next times fall on slots again.
    fn aligned(&self, placement: Placement) -> Placement {
        let Next::Due(due_ms) = placement.next else {
            return placement;
        };
        let grid_ms = self.seen().interval_ms;
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
            reason: format!("{RUN_NOW}, asked for while in flight"),
            limited: None,
            ..placement
        }
    }
}

/// An error in words. What its message says is somebody else's, hence bounded and on one line.
fn named(failure: &Failure) -> String {
    let said = failure.message.chars().take(MAX_SAID);
    let said: String = said.map(|c| if c.is_control() { ' ' } else { c }).collect();
    let code = failure.code.as_ref().map(ToString::to_string);
    let parts: Vec<String> = code.into_iter().chain([said]).collect();
    let told = parts.join(", ");
    match told.trim_matches([' ', ',']) {
        "" => failure.class.to_string(),
        told => format!("{} ({told})", failure.class),
    }
}
