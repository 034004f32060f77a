//! A rate limit that several products share.

use std::time::Duration;

use polling_core::PollError;
use polling_model::{Allowance, ScopeKey};

/// A limit of so many calls in each of the windows that follow each other.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    calls: u64,
    window_ms: i64,
    offset_ms: i64,
    /// The window of the last call, and what is left of it.
    window: i64,
    remaining: u64,
}

/// What the channel says to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Whether the call counts; otherwise it was refused.
    pub(crate) admitted: bool,
    /// Which window, counted since the epoch.
    pub(crate) window: i64,
    /// Calls per window.
    pub(crate) limit: u64,
    /// Calls left.
    pub(crate) remaining: u64,
    /// When the window ends, UTC milliseconds.
    pub(crate) reset_at_ms: i64,
    /// How long it is, milliseconds.
    pub(crate) window_ms: i64,
}

impl Limit {
    /// `calls` in each window of `window_ms`; the windows begin `offset_ms` after whole windows
    /// since the epoch.
    ///
    /// # Panics
    ///
    /// When a window lasts less than a millisecond.
    pub(crate) fn new(calls: u64, window_ms: i64, offset_ms: i64) -> Self {
        assert!(window_ms > 0, "a window lasts {window_ms} ms");
        Self {
            calls,
            window_ms,
            offset_ms,
            window: i64::MIN,
            remaining: calls,
        }
    }

    /// The window of a time.
    pub(crate) const fn window_at(&self, now_ms: i64) -> i64 {
        (now_ms - self.offset_ms).div_euclid(self.window_ms)
    }

    /// Calls left at a time that is not before the last call.
    pub(crate) const fn remaining_at(&self, now_ms: i64) -> u64 {
        if self.window_at(now_ms) == self.window {
            self.remaining
        } else {
            self.calls
        }
    }

    /// One call.
    pub(crate) fn call(&mut self, now_ms: i64) -> Answer {
        self.remaining = self.remaining_at(now_ms);
        self.window = self.window_at(now_ms);
        let admitted = self.remaining > 0;
        self.remaining -= u64::from(admitted);
        Answer {
            admitted,
            window: self.window,
            limit: self.calls,
            remaining: self.remaining,
            reset_at_ms: (self.window + 1) * self.window_ms + self.offset_ms,
            window_ms: self.window_ms,
        }
    }
}

impl Answer {
    /// As a worker reports it.
    pub(crate) const fn allowance(&self, scope: ScopeKey) -> Allowance {
        Allowance {
            scope,
            limit: Some(self.limit),
            remaining: Some(self.remaining),
            reset_at_ms: Some(self.reset_at_ms),
            window_ms: Some(self.window_ms),
        }
    }

    /// As a worker reports a refusal that it hears of at `now_ms`.
    pub(crate) fn refusal(&self, scope: ScopeKey, now_ms: i64) -> PollError {
        let wait_ms = (self.reset_at_ms - now_ms).max(0).unsigned_abs();
        PollError::rate_limited("429")
            .with_retry_after(Duration::from_millis(wait_ms))
            .with_allowance(self.allowance(scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_answers_so_many_calls_and_refuses_the_rest() {
        let mut limit = Limit::new(2, 60_000, 0);
        let answers = [0, 30_000, 59_999, 60_000].map(|now_ms| limit.call(now_ms));
        assert_eq!(
            answers.map(|answer| answer.admitted),
            [true, true, false, true]
        );
        assert_eq!(answers.map(|answer| answer.remaining), [1, 0, 0, 1]);
        assert_eq!(answers[2].reset_at_ms, 60_000);
        assert_eq!(answers[3].reset_at_ms, 120_000);
    }

    #[test]
    fn windows_begin_where_they_are_told_to() {
        let mut limit = Limit::new(5, 60_000, 37_000);
        assert_eq!(limit.call(36_999).reset_at_ms, 37_000);
        assert_eq!(limit.call(37_000).reset_at_ms, 97_000);
    }

    #[test]
    fn what_is_left_is_whole_again_when_the_next_window_begins() {
        let mut limit = Limit::new(5, 60_000, 0);
        limit.call(10);
        assert_eq!(limit.remaining_at(59_999), 4);
        assert_eq!(limit.remaining_at(60_000), 5);
    }

    #[test]
    fn a_refusal_asks_to_wait_until_the_window_ends() {
        let mut limit = Limit::new(0, 60_000, 0);
        let answer = limit.call(45_000);
        let error = answer.refusal(ScopeKey::new("app").unwrap(), 45_500);
        assert_eq!(error.retry_after(), Some(Duration::from_millis(14_500)));
        assert_eq!(error.allowances()[0].remaining, Some(0));
    }
}
