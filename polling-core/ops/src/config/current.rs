//! What holds at present, for whoever looks.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use super::Key;

/// The configuration in force, and where it comes from.
#[derive(Debug)]
#[non_exhaustive]
pub struct Current<T> {
    /// All of it.
    pub value: Arc<T>,
    /// The settings that a source has laid over the static values.
    pub in_force: BTreeMap<Key, InForce>,
    /// What sources hold, and cannot take effect.
    pub refused: BTreeMap<String, Refused>,
    /// The sources, weakest first.
    pub sources: Vec<SourceState>,
    /// Why what sources say is not kept for the next start, or what was kept is ignored; `None` if nothing is wrong, or
    /// nothing is to be kept.
    pub unkept: Option<String>,
}

/// A value that a source has laid over a static one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InForce {
    /// As it is written there.
    pub text: String,
    /// The source's name.
    pub source: Arc<str>,
    /// Since when it is in force here, UTC milliseconds.
    pub changed_ms: i64,
}

/// A value that cannot take effect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// As it is written; none if the setting was to be given up.
    pub text: Option<String>,
    /// The source's name.
    pub source: Arc<str>,
    /// Why, and what would be right.
    pub reason: String,
    /// Since when, UTC milliseconds.
    pub since_ms: i64,
}

/// How a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceState {
    /// Its name.
    pub name: Arc<str>,
    /// When it last answered, UTC milliseconds; `None` if it never did.
    pub heard_ms: Option<i64>,
    /// When an earlier run heard what holds of it, UTC milliseconds; `None` once this run has heard better.
    pub recalled_ms: Option<i64>,
    /// Why what it said last, or the static values, are in force instead of what it holds.
    pub failure: Option<String>,
}

impl<T> Current<T> {
    /// What an operator should know: a source that fails or has not answered yet, or else a value that is refused, or that
    /// nothing can be kept; `None` if all is as the sources say.
    #[must_use]
    pub fn lacks(&self) -> Option<String> {
        let refused = || {
            let (key, refused) = self.refused.iter().next()?;
            Some(format!("{key} is refused: {}", refused.reason))
        };
        let failing = self.sources.iter().find_map(SourceState::lacks);
        failing.or_else(refused).or_else(|| self.unkept.clone())
    }
}

impl SourceState {
    fn lacks(&self) -> Option<String> {
        let recalled = self.recalled_ms.map(|at_ms| {
            let since = Duration::from_millis(at_ms.max(0).unsigned_abs());
            let at = humantime::format_rfc3339_seconds(UNIX_EPOCH + since);
            format!("what holds of it is as last known, of {at}")
        });
        let what = match (&self.failure, recalled) {
            (Some(failure), Some(recalled)) => format!("{failure}; {recalled}"),
            (Some(failure), None) => failure.clone(),
            (None, Some(recalled)) => format!("it has not answered yet; {recalled}"),
            (None, None) => return None,
        };
        Some(format!("{}: {what}", self.name))
    }
}

// Not derived: a `T` is behind an `Arc`.
impl<T> Clone for Current<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            in_force: self.in_force.clone(),
            refused: self.refused.clone(),
            sources: self.sources.clone(),
            unkept: self.unkept.clone(),
        }
    }
}
