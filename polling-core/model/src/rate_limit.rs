//! What a channel said about its rate limit.

use serde::{Deserialize, Serialize};

use crate::{ScopeKey, caps};

/// One window of a rate limit, as the channel reported it. Everything but the scope may be
/// unknown. Values come from outside and are untrusted: see [`clamped`](Self::clamped).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Who shares the limit.
    pub scope: ScopeKey,
    /// Calls per window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Calls left in the current window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// When the window ends, UTC milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_at_ms: Option<i64>,
    /// How long the window lasts, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<i64>,
}

impl Allowance {
    /// An allowance of which only the scope is known; fill in the rest.
    #[must_use]
    pub fn of(scope: ScopeKey) -> Self {
        Self {
            scope,
            limit: None,
            remaining: None,
            reset_at_ms: None,
            window_ms: None,
        }
    }

    /// The same with absurd values mended: no more remaining than the limit, no reset in the past
    /// or beyond [`caps::MAX_RESET_AHEAD_MS`], no empty or endless window.
    #[must_use]
    pub fn clamped(mut self, now_ms: i64) -> Self {
        if let (Some(remaining), Some(limit)) = (self.remaining, self.limit) {
            self.remaining = Some(remaining.min(limit));
        }
        self.reset_at_ms = self
            .reset_at_ms
            .map(|reset| reset.clamp(now_ms, now_ms.saturating_add(caps::MAX_RESET_AHEAD_MS)));
        self.window_ms = self
            .window_ms
            .map(|window| window.clamp(1, caps::MAX_RESET_AHEAD_MS));
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_clamped_allowance_is_sane_whatever_the_channel_said(
            limit: Option<u64>, remaining: Option<u64>, reset_at_ms: Option<i64>, window_ms: Option<i64>,
            now_ms in 0..4_000_000_000_000i64,
        ) {
            let scope = ScopeKey::new("app").unwrap();
            let sane = Allowance { scope, limit, remaining, reset_at_ms, window_ms }.clamped(now_ms);
            if let (Some(remaining), Some(limit)) = (sane.remaining, sane.limit) {
                prop_assert!(remaining <= limit);
            }
            prop_assert!(sane.reset_at_ms.is_none_or(|at| (now_ms..=now_ms + caps::MAX_RESET_AHEAD_MS).contains(&at)));
            prop_assert!(sane.window_ms.is_none_or(|window| window > 0));
        }
    }
}
