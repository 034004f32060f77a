//! One window of a rate limit, before any clock comes in.

use super::{Reset, value::Fault};
use crate::{Allowance, ScopeKey};

use super::super::caps;

/// One window as a response tells it. What it does not tell is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// Calls per window.
    pub limit: Option<u64>,
    /// Calls left.
    pub remaining: Option<u64>,
    /// When the window ends.
    pub reset: Option<Reset>,
    /// How long the window lasts, milliseconds.
    pub window_ms: Option<i64>,
}

impl Window {
    /// The same as an allowance of `scope`, by the clock of `clocks`, with absurd values clamped.
    #[must_use]
    pub fn allowance(&self, scope: ScopeKey, clocks: Clocks) -> Allowance {
        let allowance = Allowance {
            limit: self.limit,
            remaining: self.remaining,
            reset_at_ms: self.reset.map(|reset| clocks.local_ms(reset)),
            window_ms: self.window_ms,
            ..Allowance::of(scope)
        };
        allowance.clamped(clocks.received_ms)
    }

    /// Whether it tells more than its length.
    pub(super) fn is_told(&self) -> bool {
        self.limit.is_some() || self.remaining.is_some() || self.reset.is_some()
    }
}

/// The worker's clock and the channel's, as a response came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    received_ms: i64,
    channel_ms: i64,
}

impl Clocks {
    /// `received_ms` is when the response came by the worker's clock, `date_ms` what its `Date`
    /// says, both UTC milliseconds. A `Date` that is further than
    /// [`caps::MAX_CLOCK_DIFFERENCE_MS`] away counts for nothing.
    #[must_use]
    pub fn new(received_ms: i64, date_ms: Option<i64>) -> Self {
        let bound = caps::MAX_CLOCK_DIFFERENCE_MS.unsigned_abs();
        let believed = date_ms.filter(|date_ms| date_ms.abs_diff(received_ms) <= bound);
        Self {
            received_ms,
            channel_ms: believed.unwrap_or(received_ms),
        }
    }

    /// What the channel's clock read as the response was made, UTC milliseconds.
    pub(super) fn channel_ms(self) -> i64 {
        self.channel_ms
    }

    /// `reset` by the worker's clock, UTC milliseconds, clamped.
    #[must_use]
    pub fn local_ms(self, reset: Reset) -> i64 {
        let ahead_ms = reset.at_ms(self.channel_ms) - self.channel_ms;
        self.received_ms.saturating_add(ahead_ms)
    }
}

/// A header that is there but cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{header} {value:?} {fault}")]
pub struct Unread {
    header: String,
    value: String,
    fault: Fault,
}

impl Unread {
    pub(super) fn new(header: &http::HeaderName, value: &[u8], fault: Fault) -> Self {
        // Cut before it is converted, so that a giant costs nothing.
        let value = &value[..value.len().min(4 * caps::MAX_QUOTED_LEN)];
        let value = String::from_utf8_lossy(value);
        Self {
            header: header.to_string(),
            value: value.chars().take(caps::MAX_QUOTED_LEN).collect(),
            fault,
        }
    }

    /// The header's name.
    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_MS: i64 = 1_700_000_000_000;

    #[test]
    fn an_instant_counts_by_the_channels_clock() {
        let reset = Reset::At(NOON_MS + 60_000);
        let behind = Clocks::new(NOON_MS - 120_000, Some(NOON_MS));
        assert_eq!(behind.local_ms(reset), NOON_MS - 60_000);
        let ahead = Clocks::new(NOON_MS + 90_000, Some(NOON_MS));
        assert_eq!(ahead.local_ms(reset), NOON_MS + 150_000);
        let unknown = Clocks::new(NOON_MS, None);
        assert_eq!(unknown.local_ms(reset), NOON_MS + 60_000);
    }

    #[test]
    fn time_left_counts_from_the_receipt() {
        let clocks = Clocks::new(NOON_MS, Some(NOON_MS + 120_000));
        assert_eq!(clocks.local_ms(Reset::After(5_000)), NOON_MS + 5_000);
    }

    #[test]
    fn a_date_of_another_day_says_nothing_about_clocks() {
        let clocks = Clocks::new(NOON_MS, Some(0));
        assert_eq!(clocks.local_ms(Reset::At(NOON_MS + 1)), NOON_MS + 1);
    }

    #[test]
    fn an_unread_header_is_quoted_in_part() {
        let name = http::HeaderName::from_static("retry-after");
        let unread = Unread::new(&name, "é".repeat(9_999).as_bytes(), "is no number");
        assert_eq!(unread.header(), "retry-after");
        let text = unread.to_string();
        assert!(
            text.starts_with("retry-after \"é") && text.ends_with("\" is no number"),
            "{text}"
        );
        assert!(text.chars().count() < 100);
    }
}
