//! The bounds within which workers are asked for.

use std::time::Duration;

/// Longest time that a rule may name.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Most workers that a rule may name.
const MOST_WORKERS: u32 = 100_000;

/// How a job type's workers are scaled.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingRules {
    /// Fewest workers; 0 lets the last one go when nothing is due.
    pub min: u32,
    /// Most workers.
    pub max: u32,
    /// How old a job in the queue may get, at the 99th percentile.
    pub objective: Duration,
    /// From asking for a worker until it takes jobs.
    pub start: Duration,
    /// Jobs that a worker does in a second, until it is measured.
    pub rate_per_s: f64,
    /// Jobs that a worker has under way at once.
    pub concurrency: u32,
    /// The share of its time that a worker is meant to be busy, above 0 and up to 1.
    pub utilisation: f64,
    /// Most workers added at a time.
    pub step_up: u32,
    /// Most workers taken away at a time.
    pub step_down: u32,
    /// How long fewer workers must have been enough, and the least time between two steps down.
    pub down_after: Duration,
    /// By which share more than what is needed is kept before workers are taken away, from 0 to 1.
    pub hysteresis: f64,
    /// After this time a measured rate counts half.
    pub half_life: Duration,
}

impl Default for ScalingRules {
    fn default() -> Self {
        Self {
            min: 1,
            max: 10,
            objective: Duration::from_secs(60),
            start: Duration::from_secs(30),
            rate_per_s: 1.0,
            concurrency: 16,
            utilisation: 0.95,
            step_up: 10,
            step_down: 5,
            down_after: Duration::from_secs(60),
            hysteresis: 0.05,
            half_life: Duration::from_secs(60),
        }
    }
}

impl ScalingRules {
    /// Whether every rule is within its bounds.
    ///
    /// # Errors
    ///
    /// [`RuleError`] that names the first rule that is not, and its bounds.
    pub fn validate(&self) -> Result<(), RuleError> {
        let share = |value: f64| value.is_finite() && value > 0.0 && value <= 1.0;
        let time = |value: Duration, least_s: u64| {
            (Duration::from_secs(least_s)..=LONGEST).contains(&value)
        };
        let most = MOST_WORKERS;
        let checks = [
            ("max", (1..=most).contains(&self.max), "1 to 100000"),
            ("min", self.min <= self.max, "0 to max"),
            ("objective", time(self.objective, 1), "1s to 1d"),
            ("start", time(self.start, 0), "0s to 1d"),
            (
                "rate_per_s",
                (1e-6..=1e6).contains(&self.rate_per_s),
                "0.000001 to 1000000",
            ),
            (
                "concurrency",
                (1..=most).contains(&self.concurrency),
                "1 to 100000",
            ),
            ("utilisation", share(self.utilisation), "more than 0, to 1"),
            ("step_up", (1..=most).contains(&self.step_up), "1 to 100000"),
            (
                "step_down",
                (1..=most).contains(&self.step_down),
                "1 to 100000",
            ),
            ("down_after", time(self.down_after, 0), "0s to 1d"),
            (
                "hysteresis",
                (0.0..=1.0).contains(&self.hysteresis),
                "0 to 1",
            ),
            ("half_life", time(self.half_life, 1), "1s to 1d"),
        ];
        match checks.into_iter().find(|(_, holds, _)| !holds) {
            Some((rule, _, bounds)) => Err(RuleError { rule, bounds }),
            None => Ok(()),
        }
    }

    /// How far ahead a decision looks, for samples that are `every` apart: where less is foreseen, what comes after is taken
    /// to come at the same pace.
    #[must_use]
    pub fn reach(&self, every: Duration) -> Duration {
        self.start * 2 + every + self.objective
    }

    /// `workers` within the bounds.
    pub(super) fn clamp(&self, workers: u32) -> u32 {
        workers.clamp(self.min.min(self.max), self.max)
    }
}

/// A rule out of its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{rule} is out of bounds: it needs {bounds}")]
pub struct RuleError {
    /// Which one.
    pub rule: &'static str,
    /// What it may be.
    pub bounds: &'static str,
}
