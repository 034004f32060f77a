//! What kind of error a poll ended with. Decided once; retry, log and metric read the class.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The class of an API error; rules of rescheduling go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorClass {
    /// The channel, or our own pacing, refused the call for now. Not a failure of the job.
    RateLimited,
    /// The account's credentials were refused.
    Unauthorized,
    /// The account or the resource exists no more.
    Gone,
    /// Network, timeout, 5xx: likely to pass.
    Transient,
    /// The request or the answer makes no sense: a retry alone will not mend it.
    Invalid,
    /// The poll was stopped from our side, as at shutdown. Not a failure of the job.
    Interrupted,
}

impl ErrorClass {
    /// Every class, in order.
    pub const ALL: [Self; 6] = [
        Self::RateLimited,
        Self::Unauthorized,
        Self::Gone,
        Self::Transient,
        Self::Invalid,
        Self::Interrupted,
    ];

    /// Whether it counts as an attempt of the job that failed.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        !matches!(self, Self::RateLimited | Self::Interrupted)
    }

    /// The name used on the wire, in configuration and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::Gone => "gone",
            Self::Transient => "transient",
            Self::Invalid => "invalid",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_name_is_the_displayed_name() {
        for class in ErrorClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
    }
}
