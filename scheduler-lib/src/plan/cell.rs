//! How often jobs are polled at a price, when they bring items at a constant rate.

use crate::policy::JobTypeRules;

/// In place of a weight of zero: such jobs take what nobody else wants.
const LEAST_WEIGHT: f64 = 1e-9;

/// The adaptive policy takes no job for dead: in place of fewer items per minute, one in a thousand
/// days.
const LEAST_RATE: f64 = 1e-3 / MINUTES_A_DAY;

/// In place of no job at all, so that the plan tells what one would get.
pub(super) const HARDLY_A_JOB: f64 = 1e-9;

pub(super) const MINUTES_A_DAY: f64 = 1440.0;

/// Steps of the search for the time of a worth; it needs some 5.
const MOST_STEPS: u32 = 60;

/// The search ends when the worth is that near, relatively.
const NEAR: f64 = 1e-10;

/// Jobs that are polled alike.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    /// Their place in the input's groups.
    pub(super) group: usize,
    /// How many.
    pub(super) jobs: f64,
    /// Items per minute of each.
    pub(super) rate: f64,
    /// Of their level, above 0.
    pub(super) weight: f64,
    /// Most polls per minute of each: one in an interval, and in a slot.
    pub(super) highest: f64,
    /// Least polls per minute, by `max_age`; 0 without.
    pub(super) promised: f64,
    /// What of it fits the limits.
    pub(super) lowest: f64,
    /// What a poll is worth.
    pub(super) worth: Worth,
}

/// What a poll is worth, `s` minutes after the last, apart from the weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Worth {
    /// `s² / (2 interval)`, as fixed intervals have it.
    Fixed {
        /// Minutes.
        interval: f64,
    },
    /// `M s / 2 + L N q^(N+1)` with `M = rate × s`, `q = M / (1 + M)`, as the adaptive policy has it.
    Adaptive {
        /// `N`, items of a page.
        page: f64,
        /// `L`, minutes that a lost item counts as.
        loss: f64,
    },
}

impl Cell {
    pub(super) fn worth_of(rules: &JobTypeRules, interval: f64) -> Worth {
        rules
            .adaptive
            .map_or(Worth::Fixed { interval }, |adaptive| Worth::Adaptive {
                page: f64::from(adaptive.page.max(1)),
                loss: adaptive.loss.as_secs_f64() / 60.0,
            })
    }

    pub(super) const fn weight_of(weight: f64) -> f64 {
        weight.max(LEAST_WEIGHT)
    }

    /// Polls per minute of each job when a call has to save so many minutes of delay; with no end
    /// to the price, only what is promised.
    pub(super) fn frequency(&self, price: f64) -> f64 {
        if price <= 0.0 {
            return self.highest;
        }
        if price.is_infinite() {
            return self.lowest;
        }
        let price = price / self.weight;
        let longest = self.worth.longest(price, self.rate);
        if longest * self.highest <= 1.0 {
            return self.highest;
        }
        let minutes = self.worth.minutes_until(price, self.rate, longest);
        (1.0 / minutes).clamp(self.lowest, self.highest)
    }

    /// Which share of the items is pushed off the page before a poll, when counts are as bursty as
    /// a geometric distribution's: of `M` expected items `M q^N`.
    pub(super) fn lost_share(&self, frequency: f64) -> f64 {
        let Worth::Adaptive { page, .. } = self.worth else {
            return 0.0;
        };
        if frequency <= 0.0 {
            return 1.0;
        }
        let items = self.rate / frequency;
        (items / (1.0 + items)).powf(page)
    }
}

impl Worth {
    /// Minutes until a poll is worth so much, if no item can be lost: the closed form.
    fn longest(self, price: f64, rate: f64) -> f64 {
        match self {
            Self::Fixed { interval } => (2.0 * interval * price).sqrt(),
            Self::Adaptive { .. } => (2.0 * price / rate.max(LEAST_RATE)).sqrt(),
        }
    }

    /// Minutes until a poll is worth so much, at most `longest`: the risk of losing items shortens
    /// them.
    fn minutes_until(self, price: f64, rate: f64, longest: f64) -> f64 {
        let Self::Adaptive { page, loss } = self else {
            return longest;
        };
        let rate = rate.max(LEAST_RATE);
        let worth = |minutes: f64| {
            let items = rate * minutes;
            let q = items / (1.0 + items);
            let overflow = loss * page * q.powf(page);
            let growth = (page + 1.0) * rate / (1.0 + items).powi(2);
            (
                items * minutes / 2.0 + overflow * q,
                items + overflow * growth,
            )
        };
        let mut at = longest;
        let (mut low, mut high) = (0.0, longest);
        // Newton's method on the logarithms of worth and time, between bounds that close in.
        for _ in 0..MOST_STEPS {
            let (found, slope) = worth(at);
            if (found / price - 1.0).abs() < NEAR {
                break;
            }
            if found < price {
                low = at;
            } else {
                high = at;
            }
            let next = at * (price / found).powf(found / (slope * at));
            at = if next > low && next < high {
                next
            } else {
                f64::midpoint(low, high)
            };
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::policy::adaptive::{Activity, Model, Terms};

    proptest! {
        /// A model that has seen nothing expects a constant rate: a quarter of an item in a day.
        #[test]
        fn an_adaptive_job_is_polled_when_the_policy_itself_polls_it(
            day_s in 1_000..1_000_000u64,
            price in 0.1..1e4f64,
            page in 1..100u32,
            loss_minutes in 0.0..2_000.0f64,
        ) {
            let model = Model::new(Duration::from_secs(day_s));
            let terms = Terms { weight: 1.0, page, loss_minutes };
            let due_ms = model.worth(&Activity::since(0), terms).due_ms(price) as f64;
            let rate = 0.25 * 60.0 / day_s as f64;
            let worth = Worth::Adaptive { page: f64::from(page), loss: loss_minutes };
            let minutes = worth.minutes_until(price, rate, worth.longest(price, rate));
            prop_assume!(rate > LEAST_RATE && minutes < 60.0 * MINUTES_A_DAY);
            prop_assert!((minutes * 60_000.0 / due_ms - 1.0).abs() < 1e-4, "{minutes} {due_ms}");
        }
    }

    #[test]
    fn prices_beyond_all_numbers_leave_what_is_promised() {
        let cell = Cell {
            group: 0,
            jobs: 1.0,
            rate: 0.0,
            weight: Cell::weight_of(0.0),
            highest: 1.0,
            promised: 0.1,
            lowest: 0.1,
            worth: Worth::Adaptive {
                page: 20.0,
                loss: 720.0,
            },
        };
        for price in [f64::INFINITY, f64::MAX, 1e300] {
            assert!((cell.frequency(price) - 0.1).abs() < 1e-12, "{price}");
        }
        assert!((cell.frequency(0.0) - 1.0).abs() < 1e-12);
        assert!((cell.frequency(f64::MIN_POSITIVE) - 1.0).abs() < 1e-12);
    }
}
