//! How many items jobs bring.

use std::collections::BTreeMap;

use super::PlanError;

/// Highest rate that is told apart, in items per day: more than ten a second.
pub const MAX_RATE: f64 = 1e6;

/// Rates that differ by less than this are one class, so that a plan over a million jobs is as fast
/// as one over a thousand. The mean is kept, and frequencies go by roots: delays change by less
/// than a thousandth.
const SAME: f64 = 0.05;

/// Items per day of the jobs of a group, as a distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// By falling rate.
    classes: Vec<RateClass>,
    refused: u64,
}

/// Jobs that bring about the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RateClass {
    /// Items per day of a job, the mean of the class.
    pub(super) per_day: f64,
    /// Which share of the jobs it is, above 0; 1 in sum.
    pub(super) share: f64,
}

impl Rates {
    /// All jobs bring so many items per day.
    ///
    /// # Errors
    ///
    /// [`PlanError::Rate`] unless it is a number from 0 to [`MAX_RATE`].
    pub fn same(per_day: f64) -> Result<Self, PlanError> {
        Self::of([per_day])
    }

    /// Of a list that stands for all jobs, such as the rates of some of them. What is not a number
    /// from 0 to [`MAX_RATE`] is left out and [counted](Self::refused).
    ///
    /// # Errors
    ///
    /// [`PlanError::Rate`] when nothing is left.
    pub fn of(per_day: impl IntoIterator<Item = f64>) -> Result<Self, PlanError> {
        let (mut classes, mut refused) = (BTreeMap::<i64, (u64, f64)>::new(), 0);
        let mut last = None;
        for rate in per_day {
            last = Some(rate);
            if !(0.0..=MAX_RATE).contains(&rate) {
                refused += 1;
                continue;
            }
            let class = classes.entry(class_of(rate)).or_default();
            *class = (class.0 + 1, class.1 + rate);
        }
        let jobs: u64 = classes.values().map(|(jobs, _)| jobs).sum();
        if jobs == 0 {
            return Err(PlanError::Rate { found: last });
        }
        let classes = classes.into_values().rev().map(|(members, sum)| RateClass {
            per_day: sum / members as f64,
            share: members as f64 / jobs as f64,
        });
        Ok(Self {
            classes: classes.collect(),
            refused,
        })
    }

    /// The mean, items per day of a job.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let parts = self.classes.iter();
        parts.map(|class| class.share * class.per_day).sum()
    }

    /// How many rates were left out.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    pub(super) fn classes(&self) -> &[RateClass] {
        &self.classes
    }
}

/// Zero is a class of its own.
fn class_of(rate: f64) -> i64 {
    if rate < 1e-9 {
        i64::MIN
    } else {
        (rate.ln() / SAME.ln_1p()).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_kept_and_near_rates_are_one() {
        let rates = Rates::of((0..1_000_000).map(|n| f64::from(n) / 1e5)).unwrap();
        assert!((rates.mean() - 4.999_995).abs() < 1e-9);
        assert!(rates.classes().len() < 2_000, "{}", rates.classes().len());
        let shares: f64 = rates.classes().iter().map(|class| class.share).sum();
        assert!((shares - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_rate_is_left_out_and_counted() {
        let rates = Rates::of([1.0, f64::NAN, -1.0, f64::INFINITY, 3.0, 0.0]).unwrap();
        assert_eq!((rates.refused(), rates.classes().len()), (3, 3));
        assert!((rates.mean() - 4.0 / 3.0).abs() < 1e-12);
        for none in [vec![], vec![f64::NAN], vec![-1.0, 2e6]] {
            assert!(matches!(Rates::of(none), Err(PlanError::Rate { .. })));
        }
    }
}
