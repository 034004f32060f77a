//! What is promised of freshness, and the rules of alerts that watch over it.
//!
//! An objective is a share and a bound: 99 % of the events of a level are published within 5 min of their creation. What is
//! left of the whole, 1 % here, is the error budget of a period. [`metrics`](crate::metrics) counts what misses an objective,
//! and [`rules`] writes the rules that tell Prometheus when the budget burns too fast.
//!
//! ```
//! use polling_ops::objectives::{Measure, Objective, rules};
//! use std::time::Duration;
//!
//! let level = "gold".parse()?;
//! let within = Duration::from_secs(300);
//! let objective = Objective::new("mastodon".parse()?, Measure::Staleness { level }, within);
//! objective.validate()?;
//! let yaml = rules(&[objective]);
//! assert!(yaml.contains("alert: PollingStalenessBudgetBurnsFast"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod burn;
mod rules;

use std::{fmt, time::Duration};

use polling_model::{ChannelId, ServiceLevel};

use self::burn::BURNS;
pub use self::rules::rules;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A promise about one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// The channel.
    pub channel: ChannelId,
    /// What is promised.
    pub measure: Measure,
    /// The bound.
    pub within: Duration,
    /// The share that keeps the bound, below 1; 0.99 unless set.
    pub share: f64,
    /// The time over which the share is reckoned; 30 days unless set.
    pub period: Duration,
}

/// What is promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// The time from an event's creation to its publishing.
    Staleness {
        /// Of which jobs.
        level: ServiceLevel,
    },
    /// The time from when a job was due to its dispatch.
    Lateness,
}

impl Measure {
    /// The name used in metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Staleness { .. } => "staleness",
            Self::Lateness => "lateness",
        }
    }

    pub(crate) const fn level(&self) -> Option<&ServiceLevel> {
        match self {
            Self::Staleness { level } => Some(level),
            Self::Lateness => None,
        }
    }
}

impl Objective {
    /// For 99 % over 30 days.
    #[must_use]
    pub const fn new(channel: ChannelId, measure: Measure, within: Duration) -> Self {
        Self {
            channel,
            measure,
            within,
            share: 0.99,
            period: DAY.saturating_mul(30),
        }
    }

    /// Whether every value is within its bounds.
    ///
    /// # Errors
    ///
    /// [`ObjectiveError`] that names the first value that is not, and its bounds.
    pub fn validate(&self) -> Result<(), ObjectiveError> {
        let within = Duration::from_millis(1)..=DAY * 30;
        let period = DAY * 28..=DAY * 90;
        // Where even a total failure burns the budget more slowly, no alert could fire.
        let fires = BURNS.iter().all(|burn| burn.threshold(self) < 1.0);
        let checks = [
            ("within", within.contains(&self.within), "1ms to 30d"),
            ("period", period.contains(&self.period), "28d to 90d"),
            (
                "share",
                fires && (0.0..1.0).contains(&self.share),
                "less than 1, and more than 0.9306 over 30d: the longer the period, the more",
            ),
        ];
        match checks.into_iter().find(|(_, holds, _)| !holds) {
            Some((field, _, bounds)) => Err(ObjectiveError { field, bounds }),
            None => Ok(()),
        }
    }

    /// The share that may miss the bound.
    pub(crate) fn budget(&self) -> f64 {
        1.0 - self.share
    }
}

/// Such as `mastodon gold: 99% of the events within 5m, over 30d`.
impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.channel)?;
        if let Some(level) = self.measure.level() {
            write!(f, " {level}")?;
        }
        let what = match self.measure {
            Measure::Staleness { .. } => "events published",
            Measure::Lateness => "jobs sent",
        };
        let (share, within, period) = (
            rounded(self.share * 100.0),
            Unit(self.within),
            Unit(self.period),
        );
        write!(f, ": {share}% of the {what} within {within}, over {period}")
    }
}

/// Without what floats make of hundredths.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A value out of its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} is out of bounds: it needs {bounds}")]
pub struct ObjectiveError {
    /// Which one.
    pub field: &'static str,
    /// What it may be.
    pub bounds: &'static str,
}

/// A duration in the one unit that tells it whole, as Prometheus reads it.
pub(crate) struct Unit(pub(crate) Duration);

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        let units = [
            ("d", 86_400_000),
            ("h", 3_600_000),
            ("m", 60_000),
            ("s", 1_000),
        ];
        let whole = units
            .into_iter()
            .find(|(_, unit_ms)| ms.is_multiple_of(*unit_ms));
        let (unit, unit_ms) = whole.unwrap_or(("ms", 1));
        write!(f, "{}{unit}", ms / unit_ms)
    }
}
