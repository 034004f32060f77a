//! What an alert compares with its thresholds: one number, reckoned from series.

use std::time::Duration;

use super::{
    Thresholds,
    series::{Part, Series},
};
use crate::objectives::rounded;

/// A number that says how it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// The largest of gauges: replicas that see the same tell the same.
    Largest(Series),
    /// How much less there is than is wanted, of gauges.
    Lack { wanted: Series, there: Series },
    /// How much counters rose.
    Rise(Series),
    /// How much counters rose, as a share of others.
    Share { part: Series, whole: Series },
    /// The share of what a histogram observed that is beyond a bound. As a quantile it would be 1 less that share, at that
    /// bound: exactly, and without reckoning between bounds.
    Beyond(Series),
    /// How long what waits takes at the present speed, in seconds.
    UntilEmpty { waiting: Series, done: Series },
    /// How much counters rose, as a share of what they rose some time ago.
    Activity(Series),
    /// How many times faster than evenly an error budget is used up.
    Burn {
        missed: Series,
        all: Series,
        budget: f64,
    },
}

/// How a value is reckoned, for whatever language.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Max(Series),
    /// Of counters, summed, in a window that ended some time ago.
    Rise {
        series: Series,
        window: Duration,
        ago: Duration,
    },
    /// 0 where there is nothing.
    OrZero(Box<Expr>),
    /// Nothing where there is less.
    AtLeast(Box<Expr>, f64),
    Plus(Box<Expr>, f64),
    Times(Box<Expr>, f64),
    Minus(Box<Expr>, Box<Expr>),
    Over(Box<Expr>, Box<Expr>),
}

/// Added to a speed, so that what stands still does not divide by nothing: one in 1000 s.
const STANDSTILL_PER_S: f64 = 0.001;

impl Value {
    pub(super) fn expr(&self, thresholds: &Thresholds) -> Expr {
        let window = thresholds.window;
        let rise = |series: &Series| Expr::rise(series, window, Duration::ZERO);
        match self {
            Self::Largest(series) => Expr::Max(series.clone()),
            Self::Lack { wanted, there } => {
                Expr::Max(wanted.clone()).minus(Expr::Max(there.clone()))
            }
            Self::Rise(series) => rise(series),
            Self::Share { part, whole } => rise(part).over(rise(whole).at_least(thresholds.least)),
            Self::Beyond(histogram) => {
                let all = rise(&histogram.part(Part::Count));
                let within = rise(&histogram.part(Part::UpTo(thresholds.within)));
                let beyond = all.clone().minus(within);
                beyond.over(all.at_least(thresholds.least))
            }
            Self::UntilEmpty { waiting, done } => {
                let per_s = Expr::Times(Box::new(rise(done).or_zero()), 1.0 / window.as_secs_f64());
                let speed = Expr::Plus(Box::new(per_s), STANDSTILL_PER_S);
                Expr::Max(waiting.clone()).over(speed)
            }
            Self::Activity(series) => {
                let before = Expr::rise(series, window, thresholds.before);
                rise(series)
                    .or_zero()
                    .over(before.at_least(thresholds.least))
            }
            Self::Burn {
                missed,
                all,
                budget,
            } => {
                let share = rise(missed).over(rise(all).at_least(thresholds.least));
                Expr::Times(Box::new(share), rounded(1.0 / budget))
            }
        }
    }

    /// A series without which nothing can be told.
    pub(super) const fn told_by(&self) -> &Series {
        match self {
            Self::Largest(series)
            | Self::Rise(series)
            | Self::Beyond(series)
            | Self::Activity(series)
            | Self::Lack { wanted: series, .. }
            | Self::Share { whole: series, .. }
            | Self::UntilEmpty {
                waiting: series, ..
            }
            | Self::Burn { all: series, .. } => series,
        }
    }
}

impl Expr {
    fn rise(series: &Series, window: Duration, ago: Duration) -> Self {
        Self::Rise {
            series: series.clone(),
            window,
            ago,
        }
    }

    fn or_zero(self) -> Self {
        Self::OrZero(Box::new(self))
    }

    fn at_least(self, least: f64) -> Self {
        Self::AtLeast(Box::new(self), least)
    }

    fn minus(self, other: Self) -> Self {
        Self::Minus(Box::new(self), Box::new(other))
    }

    fn over(self, other: Self) -> Self {
        Self::Over(Box::new(self), Box::new(other))
    }
}
