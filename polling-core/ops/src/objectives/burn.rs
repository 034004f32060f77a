//! How fast a budget may burn before somebody is told.

use std::time::Duration;

use super::Objective;

const HOUR: Duration = Duration::from_secs(3600);

/// Two windows and the part of a period's budget that burns in the longer one.
///
/// The longer one tells that it matters, the shorter one that it still goes on, so that an alert ends soon after its cause.
#[derive(Debug, Clone, Copy)]
pub(super) struct Burn {
    pub(super) long: Duration,
    pub(super) short: Duration,
    /// Of the period's budget.
    part: f64,
}

/// The windows and parts of the Site Reliability Workbook (Google 2018), chapter 5, "Multiwindow, Multi-Burn-Rate Alerts",
/// <https://sre.google/workbook/alerting-on-slos/>: over 30 days they are factors of 14.4, 6, 3 and 1.
pub(super) const BURNS: [Burn; 4] = [
    Burn {
        long: HOUR,
        short: Duration::from_secs(300),
        part: 0.02,
    },
    Burn {
        long: HOUR.saturating_mul(6),
        short: Duration::from_secs(1800),
        part: 0.05,
    },
    Burn {
        long: HOUR.saturating_mul(24),
        short: HOUR.saturating_mul(2),
        part: 0.1,
    },
    Burn {
        long: HOUR.saturating_mul(72),
        short: HOUR.saturating_mul(6),
        part: 0.1,
    },
];

impl Burn {
    /// How many times faster than evenly the budget burns.
    pub(super) fn factor(&self, objective: &Objective) -> f64 {
        self.part * objective.period.as_secs_f64() / self.long.as_secs_f64()
    }

    /// The share of misses from which on it burns so fast.
    pub(super) fn threshold(&self, objective: &Objective) -> f64 {
        self.factor(objective) * objective.budget()
    }
}
