//! What a person decides about one job, over its rules.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    rule_error::{RuleError, check_duration},
    rules::{MAX_INTERVAL, MAX_WEIGHT, MIN_INTERVAL},
};

/// What a person decides about how often one job is polled, over its rules. Errors and limits hold
/// as for other jobs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Override {
    /// It is polled at this interval, whatever its level and whatever a poll is worth.
    Pin {
        /// 1 s to 60 days.
        #[serde(with = "crate::duration")]
        interval: Duration,
    },
    /// Its weight counts so many times, until then. A level of weight 0 stays so.
    Boost {
        /// Above 0, at most [`MAX_WEIGHT`].
        factor: f64,
        /// UTC milliseconds.
        until_ms: i64,
    },
}

impl Override {
    /// The interval that it is pinned to, in milliseconds.
    #[must_use]
    pub const fn pin_ms(self) -> Option<i64> {
        match self {
            Self::Pin { interval } => Some(interval.as_millis() as i64),
            Self::Boost { .. } => None,
        }
    }

    /// How often its weight counts at `now_ms`; 1 once it is over.
    #[must_use]
    pub const fn factor(self, now_ms: i64) -> f64 {
        match self {
            Self::Boost { factor, until_ms } if now_ms < until_ms => factor,
            _ => 1.0,
        }
    }

    /// Whether it counts at `now_ms`: a boost ends.
    #[must_use]
    pub const fn is_on(self, now_ms: i64) -> bool {
        match self {
            Self::Boost { until_ms, .. } => now_ms < until_ms,
            Self::Pin { .. } => true,
        }
    }

    /// Checks its bounds, and that it is not over at `now_ms`.
    ///
    /// # Errors
    ///
    /// [`RuleError`] that names the field, and what it needs.
    pub fn validate(self, now_ms: i64) -> Result<(), RuleError> {
        let other = |field: &str, found: String, needs: &str| RuleError::Other {
            field: field.to_owned(),
            found,
            needs: needs.to_owned(),
        };
        match self {
            Self::Pin { interval } => {
                check_duration("pace.pin.interval", interval, MIN_INTERVAL, MAX_INTERVAL)
            }
            Self::Boost { factor, .. } if !is_factor(factor) => {
                let needs = format!("it needs more than 0, and at most {MAX_WEIGHT}");
                Err(other("pace.boost.factor", factor.to_string(), &needs))
            }
            Self::Boost { until_ms, .. } => {
                let latest_ms = now_ms.saturating_add(MAX_INTERVAL.as_millis() as i64);
                if (now_ms.saturating_add(1)..=latest_ms).contains(&until_ms) {
                    return Ok(());
                }
                let needs = format!("it needs a time after now, which is {now_ms}, within 60 days");
                Err(other("pace.boost.until_ms", until_ms.to_string(), &needs))
            }
        }
    }
}

fn is_factor(factor: f64) -> bool {
    factor > 0.0 && factor <= MAX_WEIGHT
}

/// As a record keeps it: `p300000`, `b2.5:1800000000000`.
impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pin { interval } => write!(f, "p{}", interval.as_millis()),
            Self::Boost { factor, until_ms } => write!(f, "b{factor}:{until_ms}"),
        }
    }
}

impl FromStr for Override {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            if let Some(ms) = text.strip_prefix('p') {
                let interval = Duration::from_millis(ms.parse().ok()?);
                let sane = (MIN_INTERVAL..=MAX_INTERVAL).contains(&interval);
                return sane.then_some(Self::Pin { interval });
            }
            let (factor, until_ms) = text.strip_prefix('b')?.split_once(':')?;
            let (factor, until_ms) = (factor.parse().ok()?, until_ms.parse().ok()?);
            is_factor(factor).then_some(Self::Boost { factor, until_ms })
        };
        read().ok_or("neither a pin nor a boost")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_reads_back(seconds in 1..5_184_000u64, thousandths in 1..1_000_000u32, until_ms: i64) {
            let factor = f64::from(thousandths) / 1000.0;
            let pin = Override::Pin { interval: Duration::from_secs(seconds) };
            for one in [pin, Override::Boost { factor, until_ms }] {
                prop_assert_eq!(one.to_string().parse(), Ok(one));
                let json = serde_json::to_string(&one).unwrap();
                prop_assert_eq!(serde_json::from_str::<Override>(&json).unwrap(), one);
            }
        }
    }

    #[test]
    fn what_is_out_of_bounds_says_what_it_needs() {
        let told = |one: Override| one.validate(1_000).unwrap_err().to_string();
        let interval = Duration::from_millis(999);
        assert_eq!(
            told(Override::Pin { interval }),
            "pace.pin.interval is 999ms: it needs 1s to 60d"
        );
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY, 1000.5] {
            let told = told(Override::Boost {
                factor,
                until_ms: 2_000,
            });
            assert!(told.starts_with("pace.boost.factor is "), "{told}");
        }
        for until_ms in [0, 1_000, i64::MAX] {
            let told = told(Override::Boost {
                factor: 2.0,
                until_ms,
            });
            assert!(told.starts_with("pace.boost.until_ms is "), "{told}");
        }
        for text in ["", "p", "p0", "b2", "bNaN:1", "b-1:1", "x1"] {
            assert!(text.parse::<Override>().is_err(), "{text}");
        }
    }
}
