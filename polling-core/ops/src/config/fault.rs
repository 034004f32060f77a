//! What is wrong with a configuration.

use std::fmt;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The keys from the top of the configuration; empty for the whole.
    pub path: Vec<String>,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl Fault {
    /// At these keys from the top.
    pub fn at<K: Into<String>>(path: impl IntoIterator<Item = K>, what: impl Into<String>) -> Self {
        Self {
            path: path.into_iter().map(Into::into).collect(),
            what: what.into(),
        }
    }

    /// Whether it is the value at `path`, or a part of it, that is wrong.
    pub(super) fn is_in(&self, path: &[String]) -> bool {
        self.path.starts_with(path)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path.join("."))?;
        }
        f.write_str(&self.what)
    }
}
