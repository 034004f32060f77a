//! What a call costs.

use super::within;

/// A job becomes a candidate once it is worth this share of the price: candidates take the calls
/// that nothing more worthwhile asked for. Those that get none wait until they are worth the price.
pub const EARLY: f64 = 0.8;

/// How fast the price follows. From 0.03 to 0.3 the delays on traces are the same within their
/// noise.
const FOLLOW: f64 = 0.2;

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

    /// After a slot in which so many jobs were worth the price, and so many calls could be made:
    /// `price × exp(0.2 (asked − calls) / max(asked, calls))`.
    #[must_use]
    pub fn follow(self, asked: f64, calls: f64) -> Self {
        let most = asked.max(calls);
        if most <= 0.0 {
            return self;
        }
        Self::new(self.0 * (FOLLOW * (asked - calls) / most).exp())
    }
}
