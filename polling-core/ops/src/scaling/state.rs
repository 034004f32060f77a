//! What is remembered between two samples.

use super::{Sample, ScalingRules, curve::Curve, fleet::Fleet};

/// The time between two samples until two have been seen, seconds.
const FIRST_TURN_S: f64 = 15.0;

/// No longer time between samples is reckoned with: after a pause everything is as new.
const LONGEST_TURN_S: f64 = 300.0;

/// How many times more or less than believed a worker may be measured to do.
const MOST_SURPRISE: f64 = 8.0;

/// So many times more or less is no contradiction while workers idle: what was in flight between two samples is not known then.
const IDLE_DOUBT: f64 = 1.25;

/// What is remembered of a job type between two samples; nothing at the start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScalingState {
    last: Option<Sample>,
    turn_s: Option<f64>,
    rates: Rates,
    /// None before the first decision.
    pub(super) fleet: Option<Fleet>,
    pub(super) low: Option<Low>,
}

/// What was measured, smoothed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct Rates {
    /// Jobs that come in a second.
    pub arrivals_per_s: f64,
    /// Of those, the ones that nobody foresaw; 0 where arrivals are not counted.
    pub unforeseen_per_s: f64,
    /// Jobs done in a second.
    pub completions_per_s: f64,
    /// Jobs that a worker does in a second when it is busy; `None` until one had enough to do.
    pub worker_per_s: Option<f64>,
}

/// Fewer workers are enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Low {
    pub(super) since_ms: i64,
    /// The most that were needed since.
    pub(super) most: u32,
}

impl ScalingState {
    /// What was measured.
    #[must_use]
    pub const fn rates(&self) -> Rates {
        self.rates
    }

    /// The time between two samples, seconds.
    pub(super) fn turn_s(&self) -> f64 {
        self.turn_s.unwrap_or(FIRST_TURN_S)
    }

    fn elapsed_s(&self, sample: &Sample) -> Option<f64> {
        let last = self.last.as_ref()?;
        let elapsed_s = (sample.now_ms - last.now_ms) as f64 / 1000.0;
        (elapsed_s > 0.0 && elapsed_s <= LONGEST_TURN_S).then_some(elapsed_s)
    }

    /// Takes up what comes: all that a decision may rest on without looking at what waits.
    pub(super) fn hear_arrivals(&mut self, rules: &ScalingRules, sample: &Sample) {
        let Some(elapsed_s) = self.elapsed_s(sample) else {
            return;
        };
        // The first value counts all.
        let weight = self.turn_s.map_or(1.0, |_| weight(rules, elapsed_s));
        let mix = |old: f64, new: f64| old + weight * (new - old);
        self.turn_s = Some(mix(self.turn_s.unwrap_or(elapsed_s), elapsed_s));
        let foreseen = self.foreseen(elapsed_s);
        if let Some(arrived) = sample.arrived.map(|jobs| jobs as f64).or(foreseen) {
            let rates = &mut self.rates;
            rates.arrivals_per_s = mix(rates.arrivals_per_s, arrived / elapsed_s);
            let unforeseen = (arrived - foreseen.unwrap_or(arrived)).max(0.0);
            rates.unforeseen_per_s = mix(rates.unforeseen_per_s, unforeseen / elapsed_s);
        }
    }

    /// What the last sample foresaw of the time since.
    fn foreseen(&self, elapsed_s: f64) -> Option<f64> {
        Some(Curve::foreseen(self.last.as_ref()?)?.by(elapsed_s))
    }

    /// Takes up what was done. After the decision: what is measured of this sample counts from the next on.
    pub(super) fn hear_completions(&mut self, rules: &ScalingRules, sample: &Sample) {
        if let (Some(elapsed_s), Some(last)) = (self.elapsed_s(sample), self.last.as_ref()) {
            let there = |sample: &Sample| sample.waiting as f64 + sample.in_flight as f64;
            let arrived = sample.arrived.map(|jobs| jobs as f64);
            let arrived = arrived.or_else(|| self.foreseen(elapsed_s));
            let completed = sample.completed.map(|jobs| jobs as f64);
            let completed = completed.or_else(|| Some(arrived? + there(last) - there(sample)));
            let doubt = match last.waiting > 0 && sample.waiting > 0 {
                true => 1.0,
                false => IDLE_DOUBT,
            };
            let in_flight = last.in_flight as f64 / 2.0 + sample.in_flight as f64 / 2.0;
            // Fewer than none were done: more came than anybody foresaw.
            if let Some(completed) = completed.filter(|completed| *completed >= 0.0) {
                let measured = (completed / elapsed_s, in_flight, doubt);
                self.measure(rules, elapsed_s, measured);
            }
        }
        self.last = Some(sample.clone());
    }

    /// By Little's law a job takes `in flight / completions per second`, and a worker has `concurrency` of them under way.
    fn measure(&mut self, rules: &ScalingRules, elapsed_s: f64, measured: (f64, f64, f64)) {
        let (per_s, in_flight, doubt) = measured;
        let weight = weight(rules, elapsed_s);
        let rates = &mut self.rates;
        rates.completions_per_s += weight * (per_s - rates.completions_per_s);
        let concurrency = f64::from(rules.concurrency);
        // What fewer jobs tell is chance.
        if in_flight >= concurrency {
            let prior = rules.rate_per_s;
            let old = rates.worker_per_s.unwrap_or(prior);
            let seen = per_s * concurrency / in_flight;
            let seen = old.clamp(seen / doubt, seen * doubt);
            let seen = seen.clamp(prior / MOST_SURPRISE, prior * MOST_SURPRISE);
            rates.worker_per_s = Some(old + weight * (seen - old));
        }
    }
}

/// What a new value counts beside the old ones.
fn weight(rules: &ScalingRules, elapsed_s: f64) -> f64 {
    1.0 - 0.5_f64.powf(elapsed_s / rules.half_life.as_secs_f64())
}
