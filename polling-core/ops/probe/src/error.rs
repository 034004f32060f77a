//! What keeps a server from being healthy, by exit code.

use super::WRONG_USAGE;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the server is not known to serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The command line cannot be followed.
    #[error("{0}")]
    Usage(String),
    /// There is no connection.
    #[error("no connection to {address}")]
    Connect {
        /// Where to.
        address: String,
        /// What kept it.
        source: Source,
    },
    /// The call was not answered as it should be.
    #[error("the call failed")]
    Call {
        /// How it failed.
        source: Source,
    },
    /// The server's own word that it does not serve.
    #[error("{answer}")]
    NotServing {
        /// The word.
        answer: String,
    },
}

/// Nothing came within the time that there was.
#[derive(Debug, thiserror::Error)]
#[error("not in time")]
pub(crate) struct NotInTime;

impl ProbeError {
    pub(crate) fn connect(address: &str, source: impl Into<Source>) -> Self {
        Self::Connect {
            address: address.to_owned(),
            source: source.into(),
        }
    }

    pub(crate) fn call(source: impl Into<Source>) -> Self {
        Self::Call {
            source: source.into(),
        }
    }

    /// The code that tells it to whoever started the probe.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => WRONG_USAGE,
            Self::Connect { .. } => 2,
            Self::Call { .. } => 3,
            Self::NotServing { .. } => 4,
        }
    }
}
