//! What was found, by check.

use std::collections::BTreeMap;

use super::State;

/// What is known of some checks, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Report {
    /// The latest of each.
    pub checks: BTreeMap<String, CheckReport>,
    /// Whether the process has said that it ends; it is not ready then, whatever the checks say.
    pub stopping: bool,
}

/// What is known of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// How it is.
    pub state: State,
    /// Why it is not passing.
    pub reason: Option<String>,
    /// Whether it counts for liveness too.
    pub live: bool,
    /// When it was last asked, UTC milliseconds; `None` if never.
    pub checked_ms: Option<i64>,
    /// Since when it has been in this state, UTC milliseconds.
    pub since_ms: Option<i64>,
    /// How long the answer took, milliseconds.
    pub took_ms: u64,
}

impl Report {
    /// The worst of all.
    #[must_use]
    pub fn state(&self) -> State {
        if self.stopping {
            return State::Failing;
        }
        let states = self.checks.values().map(|check| check.state);
        states.max().unwrap_or(State::Passing)
    }

    /// Whether callers may be sent here.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.state().serves()
    }
}

impl CheckReport {
    pub(super) const fn not_yet(live: bool) -> Self {
        Self {
            state: State::Unknown,
            reason: None,
            live,
            checked_ms: None,
            since_ms: None,
            took_ms: 0,
        }
    }
}
