//! What a call costs.

use super::within;

/// A job is a candidate once it is worth this share of the price: then there are always some to
/// choose from, and no call is left over while the price finds its level.
pub const EARLY: f64 = 0.8;

/// How much of the way the price goes at once to what the last call was worth.
const FOLLOW: f64 = 0.1;

/// How much it falls when calls were left over.
const FALL: f64 = 0.05;

/// Bounds, in minutes of delay: a price of zero or without end could never be found again.
const BOUNDS: (f64, f64) = (1e-9, 1e12);

/// The price of a call under one budget, in minutes of delay that it has to save.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price(f64);

impl Price {
    /// To start with.
    #[must_use]
    pub const fn new(minutes: f64) -> Self {
        Self(within(minutes, BOUNDS.0, BOUNDS.1))
    }

    /// In minutes of delay.
    #[must_use]
    pub const fn minutes(self) -> f64 {
        self.0
    }

    /// From which worth on a job is a candidate.
    #[must_use]
    pub const fn early(self) -> f64 {
        self.0 * EARLY
    }

    /// Splits off the `calls` most worthwhile of `candidates`, which come with their worth, and
    /// moves towards what the last of them is worth. What stays are those that wait.
    pub fn pick<T>(&mut self, candidates: &mut Vec<(f64, T)>, calls: usize) -> Vec<(f64, T)> {
        if calls == 0 {
            return Vec::new();
        }
        if candidates.len() < calls {
            *self = Self::new(self.0 * (1.0 - FALL));
            return std::mem::take(candidates);
        }
        candidates.select_nth_unstable_by(calls - 1, |(one, _), (two, _)| two.total_cmp(one));
        let last = candidates[calls - 1].0;
        if last.is_finite() {
            *self = Self::new(self.0 + FOLLOW * (last - self.0));
        }
        let waiting = candidates.split_off(calls);
        std::mem::replace(candidates, waiting)
    }
}
