//! The reason in words.

use super::{Sample, ScalingRules, ScalingState, demand::Cause};

/// What was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    pub(super) workers: u32,
    /// None at the first decision.
    pub(super) before: Option<u32>,
    pub(super) cause: Cause,
    pub(super) limit: Limit,
}

/// What kept the number from being the needed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    None,
    Fewest,
    Most,
    StepUp,
    StepDown,
    CoolDown,
    InFlight,
}

impl Limit {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fewest => "min",
            Self::Most => "max",
            Self::StepUp => "step_up",
            Self::StepDown => "step_down",
            Self::CoolDown => "down_after",
            Self::InFlight => "in_flight",
        }
    }
}

/// Such as `12 workers, 4 more, for what waits: 240 wait, the oldest for 35s; 8 in flight; 300 come within 120s`.
pub(super) fn words(
    rules: &ScalingRules,
    state: &ScalingState,
    sample: &Sample,
    choice: &Choice,
) -> String {
    let change = match choice.before {
        None => "the first decision".to_owned(),
        Some(before) if before < choice.workers => format!("{} more", choice.workers - before),
        Some(before) if before > choice.workers => format!("{} fewer", before - choice.workers),
        Some(_) => "as before".to_owned(),
    };
    let unit = if choice.workers == 1 {
        "worker"
    } else {
        "workers"
    };
    let age = sample.oldest_age_ms.map_or_else(String::new, |age_ms| {
        format!(", the oldest for {}s", age_ms.max(0) / 1000)
    });
    let coming = match sample.look_ahead.last() {
        Some(ahead) => format!("{} come within {}s", ahead.jobs, ahead.within.as_secs()),
        None => format!("{:.1} come a second", state.rates().arrivals_per_s),
    };
    let rate_per_s = state.rates().worker_per_s.unwrap_or(rules.rate_per_s);
    format!(
        "{} {unit}, {change}, {}{}: {} wait{age}; {} in flight; {coming}; a worker does {rate_per_s:.2} a second",
        choice.workers,
        choice.cause.words(),
        limit(rules, choice.limit),
        sample.waiting,
        sample.in_flight,
    )
}

fn limit(rules: &ScalingRules, limit: Limit) -> String {
    match limit {
        Limit::None => String::new(),
        Limit::Fewest => format!(", no fewer than min = {}", rules.min),
        Limit::Most => format!(", no more than max = {}", rules.max),
        Limit::StepUp => format!(", no more than step_up = {} at a time", rules.step_up),
        Limit::StepDown => format!(", no more than step_down = {} at a time", rules.step_down),
        Limit::CoolDown => {
            let s = rules.down_after.as_secs();
            format!(", fewer once they were enough for down_after = {s}s")
        }
        Limit::InFlight => ", since the others have jobs in flight".to_owned(),
    }
}
