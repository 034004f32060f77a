//! The rules of a job type, as configured.

use std::{collections::BTreeMap, time::Duration};

use polling_model::{ErrorClass, ErrorCode, ServiceLevel};
use serde::{Deserialize, Serialize};

use crate::store::Hold;

/// Shortest interval between two polls of a job.
pub const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// Longest interval between two polls of a job, and longest backoff: 60 days.
pub const MAX_INTERVAL: Duration = Duration::from_secs(60 * 24 * 3600);

/// How often a job of one type is polled, and what follows an error.
///
/// Durations are written as `"90s"`, `"5m"`, `"1h 30m"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobTypeRules {
    /// Time between two polls, for service levels not named in `levels`.
    #[serde(with = "crate::duration")]
    pub interval: Duration,
    /// Rules of single service levels.
    #[serde(default)]
    pub levels: BTreeMap<ServiceLevel, LevelRules>,
    /// Calls to leave to others: with fewer left in a window, a job waits for the next.
    #[serde(default)]
    pub cushion: u64,
    /// Dead letters without a completion between, after which a job is quarantined.
    #[serde(default = "default_max_strikes")]
    pub max_strikes: u32,
    /// What follows an error, by class; classes not named keep their default.
    #[serde(default)]
    pub errors: BTreeMap<ErrorClass, ErrorRule>,
    /// What follows an error of a code; stronger than its class.
    #[serde(default)]
    pub codes: BTreeMap<ErrorCode, ErrorRule>,
}

const fn default_max_strikes() -> u32 {
    3
}

/// The rules of one service level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelRules {
    /// Time between two polls.
    #[serde(with = "crate::duration")]
    pub interval: Duration,
}

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

/// What is wrong with rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// A duration outside its bounds.
    #[error("{field} is {}: it needs {} to {}", crate::duration::text(*.found), crate::duration::text(*.min), crate::duration::text(*.max))]
    Duration {
        /// Which field.
        field: String,
        /// What it holds.
        found: Duration,
        /// The least.
        min: Duration,
        /// The most.
        max: Duration,
    },
    /// A count of zero.
    #[error("{field} is 0: it needs at least 1")]
    Zero {
        /// Which field.
        field: String,
    },
}

/// Checks a duration against its bounds.
pub(crate) fn check_duration(
    field: &str,
    found: Duration,
    min: Duration,
    max: Duration,
) -> Result<(), RuleError> {
    if (min..=max).contains(&found) {
        return Ok(());
    }
    Err(RuleError::Duration {
        field: field.to_owned(),
        found,
        min,
        max,
    })
}

impl JobTypeRules {
    /// Rules with the given interval, and defaults for the rest.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        Self {
            interval,
            levels: BTreeMap::new(),
            cushion: 0,
            max_strikes: default_max_strikes(),
            errors: BTreeMap::new(),
            codes: BTreeMap::new(),
        }
    }

    /// The interval of a service level, milliseconds.
    #[must_use]
    pub fn interval_ms(&self, level: &ServiceLevel) -> i64 {
        let interval = self
            .levels
            .get(level)
            .map_or(self.interval, |rules| rules.interval);
        interval.as_millis() as i64
    }

    /// The rule for an error: its code's, else its class's, else the default of the class.
    #[must_use]
    pub fn error_rule(&self, class: ErrorClass, code: Option<&ErrorCode>) -> ErrorRule {
        let by_code = code.and_then(|code| self.codes.get(code));
        by_code
            .or_else(|| self.errors.get(&class))
            .copied()
            .unwrap_or_else(|| default_rule(class))
    }

    /// Checks every bound.
    ///
    /// # Errors
    ///
    /// [`RuleError`] that names the first field outside its bounds.
    pub fn validate(&self) -> Result<(), RuleError> {
        check_duration("interval", self.interval, MIN_INTERVAL, MAX_INTERVAL)?;
        for (level, rules) in &self.levels {
            check_duration(
                &format!("levels.{level}.interval"),
                rules.interval,
                MIN_INTERVAL,
                MAX_INTERVAL,
            )?;
        }
        if self.max_strikes == 0 {
            return Err(RuleError::Zero {
                field: "max_strikes".to_owned(),
            });
        }
        let classes = self
            .errors
            .iter()
            .map(|(class, rule)| (format!("errors.{class}"), rule));
        let codes = self
            .codes
            .iter()
            .map(|(code, rule)| (format!("codes.{code}"), rule));
        for (field, rule) in classes.chain(codes) {
            let ErrorRule::Backoff(backoff) = rule else {
                continue;
            };
            check_duration(
                &format!("{field}.backoff.base"),
                backoff.base,
                Duration::from_millis(1),
                backoff.max,
            )?;
            check_duration(
                &format!("{field}.backoff.max"),
                backoff.max,
                backoff.base,
                MAX_INTERVAL,
            )?;
        }
        Ok(())
    }
}

/// Credentials come back with their owner and a gone account rarely at all, so the first is asked
/// ever more seldom and the second parked; all else passes.
const fn default_rule(class: ErrorClass) -> ErrorRule {
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

    #[test]
    fn a_code_is_stronger_than_its_class() {
        let mut rules = JobTypeRules::every(Duration::from_secs(60));
        let code = ErrorCode::new("suspended").unwrap();
        rules.codes.insert(code.clone(), ErrorRule::Remove);
        rules.errors.insert(ErrorClass::Invalid, ErrorRule::Pause);
        assert_eq!(
            rules.error_rule(ErrorClass::Invalid, Some(&code)),
            ErrorRule::Remove
        );
        assert_eq!(
            rules.error_rule(ErrorClass::Invalid, None),
            ErrorRule::Pause
        );
        assert_eq!(rules.error_rule(ErrorClass::Gone, None), ErrorRule::Park);
    }

    #[test]
    fn bad_rules_name_the_field_and_its_bounds() {
        let rules = JobTypeRules::every(Duration::ZERO);
        assert_eq!(
            rules.validate().unwrap_err().to_string(),
            "interval is 0s: it needs 1s to 60d"
        );
        let mut rules = JobTypeRules::every(Duration::from_secs(60));
        let gold = LevelRules {
            interval: Duration::from_secs(61 * 24 * 3600),
        };
        rules
            .levels
            .insert(ServiceLevel::new("gold").unwrap(), gold);
        assert!(
            rules
                .validate()
                .unwrap_err()
                .to_string()
                .starts_with("levels.gold.interval is ")
        );
        rules.levels.clear();
        rules.max_strikes = 0;
        assert_eq!(
            rules.validate().unwrap_err().to_string(),
            "max_strikes is 0: it needs at least 1"
        );
    }
}
