//! What follows an error.

use std::time::Duration;

use polling_model::ErrorClass;
use serde::{Deserialize, Serialize};

use crate::store::Hold;

/// What follows an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorRule {
    /// Poll again after a random time that grows with each error in a row.
    Backoff(Backoff),
    /// Poll again after the usual interval.
    Interval,
    /// Hold the job until somebody resumes it.
    Pause,
    /// The same, for what is gone.
    Park,
    /// Remove the job.
    Remove,
}

/// Exponential backoff with full jitter: after the `n`th error in a row a random time in
/// `[0, min(max, base × 2ⁿ⁻¹)]` (M. Brooker, Exponential Backoff And Jitter, 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backoff {
    /// The bound after the first error.
    #[serde(with = "crate::duration")]
    pub base: Duration,
    /// The bound after many.
    #[serde(with = "crate::duration")]
    pub max: Duration,
}

impl Backoff {
    const fn secs(base: u64, max: u64) -> Self {
        Self {
            base: Duration::from_secs(base),
            max: Duration::from_secs(max),
        }
    }

    /// The delay in milliseconds after `attempts` errors in a row; `jitter` is in `[0, 1)`.
    #[must_use]
    pub fn delay_ms(&self, attempts: u32, jitter: f64) -> i64 {
        let doublings = attempts.saturating_sub(1).min(32);
        let bound = self
            .base
            .as_millis()
            .saturating_mul(1 << doublings)
            .min(self.max.as_millis());
        (bound as f64 * jitter) as i64
    }
}

/// Credentials come back with their owner and a gone account rarely at all, so the first is asked
/// ever more seldom and the second parked; all else passes.
pub(super) const fn default_rule(class: ErrorClass) -> ErrorRule {
    match class {
        ErrorClass::RateLimited => ErrorRule::Backoff(Backoff::secs(60, 3600)),
        ErrorClass::Unauthorized => ErrorRule::Backoff(Backoff::secs(300, 24 * 3600)),
        ErrorClass::Gone => ErrorRule::Park,
        ErrorClass::Invalid => ErrorRule::Backoff(Backoff::secs(600, 24 * 3600)),
        // Transient, interrupted, and classes to come.
        _ => ErrorRule::Backoff(Backoff::secs(30, 3600)),
    }
}

impl ErrorRule {
    /// The hold that it puts on a job, if it does.
    #[must_use]
    pub const fn hold(self) -> Option<Hold> {
        match self {
            Self::Pause => Some(Hold::Paused),
            Self::Park => Some(Hold::Parked),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_backoff_stays_within_its_bounds(attempts: u32, jitter in 0.0..1.0f64, base_s in 1..1000u64, more_s in 0..100_000u64) {
            let backoff = Backoff::secs(base_s, base_s + more_s);
            let delay_ms = backoff.delay_ms(attempts, jitter);
            prop_assert!((0..=backoff.max.as_millis() as i64).contains(&delay_ms));
        }
    }

    #[test]
    fn a_backoff_doubles_up_to_its_maximum() {
        let backoff = Backoff::secs(10, 60);
        let bounds: Vec<_> = (1..=5)
            .map(|attempts| backoff.delay_ms(attempts, 0.999_999) / 1000)
            .collect();
        assert_eq!(bounds, [9, 19, 39, 59, 59]);
    }
}
