//! What is wrong with rules, and the checks of single values.

use std::time::Duration;

use crate::ledger::Cushion;

/// What is wrong with rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// A duration outside its bounds.
    #[error("{field} is {}: it needs {} to {}", crate::duration::text(*.found), crate::duration::text(*.min), crate::duration::text(*.max))]
    Duration {
        /// Which field.
        field: String,
        /// What it holds.
        found: Duration,
        /// The least.
        min: Duration,
        /// The most.
        max: Duration,
    },
    /// A count of zero.
    #[error("{field} is 0: it needs at least 1")]
    Zero {
        /// Which field.
        field: String,
    },
    /// Something else, in words.
    #[error("{field} is {found}: {needs}")]
    Other {
        /// Which field.
        field: String,
        /// What it holds.
        found: String,
        /// What it needs.
        needs: String,
    },
}

impl RuleError {
    /// The field that is wrong.
    #[must_use]
    pub fn field(&self) -> &str {
        match self {
            Self::Duration { field, .. } | Self::Zero { field } | Self::Other { field, .. } => {
                field
            }
        }
    }
}

/// Checks a duration against its bounds.
pub(crate) fn check_duration(
    field: &str,
    found: Duration,
    min: Duration,
    max: Duration,
) -> Result<(), RuleError> {
    if (min..=max).contains(&found) {
        return Ok(());
    }
    Err(RuleError::Duration {
        field: field.to_owned(),
        found,
        min,
        max,
    })
}

/// Checks a share against its bounds.
pub(crate) fn check_cushion(field: &str, cushion: Cushion) -> Result<(), RuleError> {
    match cushion {
        Cushion::Share(share) if !(0.0..=1.0).contains(&share) => {
            let needs = "a share needs 0% to 100%".to_owned();
            Err(other(field.to_owned(), &cushion, needs))
        }
        _ => Ok(()),
    }
}

pub(super) fn zero(field: &str) -> RuleError {
    RuleError::Zero {
        field: field.to_owned(),
    }
}

pub(super) fn other(field: String, found: &impl ToString, needs: String) -> RuleError {
    RuleError::Other {
        field,
        found: found.to_string(),
        needs,
    }
}
