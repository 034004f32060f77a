//! What was measured, as a line of JSON.

use std::{collections::BTreeMap, fmt};

use polling_model::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One figure of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Which, such as `cycle/in-process`.
    pub name: String,
    /// What was measured.
    pub value: f64,
    /// In what, such as `jobs/s`.
    pub unit: String,
    /// When, UTC milliseconds.
    pub at_ms: i64,
    /// What it was measured on, and what else was seen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, Value>,
}

impl Figure {
    /// Measured just now.
    #[must_use]
    pub fn new(name: impl Into<String>, value: f64, unit: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value,
            unit: unit.into(),
            at_ms: SystemClock.now_ms(),
            details: BTreeMap::new(),
        }
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// A line of JSON.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&line)
    }
}
