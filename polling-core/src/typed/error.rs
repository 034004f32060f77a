//! Why a context is not of a type.

use crate::PollError;

/// Why a context cannot be read as a type, or be written from it. The job keeps the one it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TypedError {
    /// A newer worker wrote it.
    #[error(
        "context has version {found}, this worker knows {known} at most: leave the job to a newer worker, or deploy one"
    )]
    Newer {
        /// The version found.
        found: u64,
        /// The newest that is known.
        known: u64,
    },
    /// What is kept as its version is none.
    #[error(
        "context's version, its key {}, is not a whole number from 1 on: mend or replace the context",
        super::VERSION_KEY
    )]
    Version,
    /// A key is missing, or holds something else. The message names the key, never its value.
    #[error("context does not fit its type: {what}; give the field a default, or add an upgrade")]
    Misfit {
        /// What does not fit.
        what: String,
    },
    /// The type serializes to something other than a map.
    #[error("context's type does not serialize to a map with text keys: make it a struct")]
    NotAMap,
    /// The type has a field of the version's name.
    #[error(
        "context's type has a field {}, which is reserved: rename it",
        super::VERSION_KEY
    )]
    Reserved,
}

impl TypedError {
    const fn code(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "context_newer",
            Self::Version => "context_version",
            Self::Misfit { .. } => "context_misfit",
            Self::NotAMap | Self::Reserved => "context_type",
        }
    }
}

/// A newer worker passes by sooner or later, hence transient; the rest needs somebody's hand.
impl From<TypedError> for PollError {
    fn from(error: TypedError) -> Self {
        let failed = match error {
            TypedError::Newer { .. } => Self::transient(error.to_string()),
            _ => Self::invalid(error.to_string()),
        };
        failed.with_code(error.code())
    }
}
