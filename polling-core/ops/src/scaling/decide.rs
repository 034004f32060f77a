//! The decision.

use super::{
    Sample, ScalingRules, ScalingState,
    demand::{Cause, Demand, Need},
    fleet::Fleet,
    reason::{Choice, Limit, words},
    state::Low,
};

/// Less than this share of a worker is no worker.
const ROUNDING: f64 = 1e-6;

/// How many workers, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// So many should run, those that start included.
    pub workers: u32,
    /// So many take jobs by now: those that were seen, or those that were asked for and should have started.
    pub ready: u32,
    /// So many would be enough, before bounds, steps and cool-downs.
    pub needed: f64,
    /// For what they are needed: `waiting`, `coming`, `steady`.
    pub cause: &'static str,
    /// What keeps the number from being the needed one: `none`, or `min`, `max`, `step_up`, `step_down`, `down_after`,
    /// `in_flight`.
    pub limit: &'static str,
    /// Why, in words.
    pub reason: String,
}

/// How many workers a job type should have from now on. The state is that of the last decision on the
/// job type; a new one knows nothing and takes the first step at once.
///
/// Rules out of their bounds ([`ScalingRules::validate`]) do no harm, but what follows from them is not told.
#[must_use]
pub fn decide(
    rules: &ScalingRules,
    mut state: ScalingState,
    sample: &Sample,
) -> (Decision, ScalingState) {
    state.hear_arrivals(rules, sample);
    let ready_ms = sample.now_ms + rules.start.as_millis() as i64;
    let known = state.fleet.is_some();
    let mut fleet = state
        .fleet
        .take()
        .unwrap_or_else(|| Fleet::ready(sample.workers.unwrap_or_else(|| at_work(rules, sample))));
    fleet.advance(sample.now_ms);
    if let Some(workers) = sample.workers {
        fleet.seen(workers, ready_ms);
    }
    let need = Demand::new(rules, &state, sample).need(&fleet, sample.now_ms);
    let choice = choose(rules, &mut state, sample, fleet.total(), need, known);
    state.hear_completions(rules, sample);
    let decision = Decision {
        workers: choice.workers,
        ready: fleet.take_jobs(),
        needed: need.soon.0,
        cause: choice.cause.as_str(),
        limit: choice.limit.as_str(),
        reason: words(rules, &state, sample, &choice),
    };
    fleet.resize(choice.workers, ready_ms);
    state.fleet = Some(fleet);
    (decision, state)
}

/// The workers that hold what is in flight.
fn at_work(rules: &ScalingRules, sample: &Sample) -> u32 {
    let workers = sample
        .in_flight
        .div_ceil(u64::from(rules.concurrency.max(1)));
    u32::try_from(workers).unwrap_or(u32::MAX)
}

fn choose(
    rules: &ScalingRules,
    state: &mut ScalingState,
    sample: &Sample,
    current: u32,
    need: Need,
    known: bool,
) -> Choice {
    let soon = whole(need.soon.0);
    let keep = rules.clamp(whole(need.keep * (1.0 + rules.hysteresis)).max(soon));
    let (wanted, cause) = (rules.clamp(soon), need.soon.1);
    let limit = match wanted.cmp(&soon) {
        std::cmp::Ordering::Less => Limit::Most,
        std::cmp::Ordering::Equal => Limit::None,
        std::cmp::Ordering::Greater => Limit::Fewest,
    };
    let choice = |workers, limit| Choice {
        workers,
        before: known.then_some(current),
        cause,
        limit,
    };
    if !known {
        return choice(wanted.max(rules.clamp(at_work(rules, sample))), limit);
    }
    if wanted > current {
        state.low = None;
        let most = current.saturating_add(rules.step_up);
        let limit = if wanted > most { Limit::StepUp } else { limit };
        return choice(rules.clamp(wanted.min(most)), limit);
    }
    let (workers, kept) = fewer(rules, state, sample, current, keep);
    let few = kept == Limit::None && workers == rules.min;
    choice(workers, if few { limit } else { kept })
}

/// No more are needed: whether, and how many, can be let go.
fn fewer(
    rules: &ScalingRules,
    state: &mut ScalingState,
    sample: &Sample,
    current: u32,
    keep: u32,
) -> (u32, Limit) {
    if current > rules.max {
        return (rules.max, Limit::Most);
    }
    if keep >= current {
        state.low = None;
        return (current, Limit::None);
    }
    let low = state.low.get_or_insert(Low {
        since_ms: sample.now_ms,
        most: keep,
    });
    low.most = low.most.max(keep);
    // A clock that was set back would hold everybody until it has caught up.
    low.since_ms = low.since_ms.min(sample.now_ms);
    let most = low.most;
    if sample.now_ms - low.since_ms < rules.down_after.as_millis() as i64 {
        return (current, Limit::CoolDown);
    }
    let at_work = at_work(rules, sample);
    let step = current.saturating_sub(rules.step_down);
    let target = most.max(step).max(at_work).min(current);
    if target == current {
        return (current, Limit::InFlight);
    }
    *low = Low {
        since_ms: sample.now_ms,
        most: keep,
    };
    let limit = if target == most {
        Limit::None
    } else if target == at_work {
        Limit::InFlight
    } else {
        Limit::StepDown
    };
    (target, limit)
}

/// Whole workers.
fn whole(workers: f64) -> u32 {
    // Beyond u32 it saturates.
    (workers - ROUNDING).ceil().max(0.0) as u32
}

impl Cause {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Coming => "coming",
            Self::Steady => "steady",
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Waiting => "for what waits",
            Self::Coming => "for what comes",
            Self::Steady => "for what comes at the usual pace",
        }
    }
}
