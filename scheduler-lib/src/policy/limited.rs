//! What of a rate limit keeps a job back.

use crate::ledger::{Denial, WindowStanding};

/// What keeps a job from being polled when its rules ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Limited {
    /// What is left of a window is needed for its cushion.
    Cushion,
    /// Nothing is left of a window.
    Exhausted,
    /// What is left of a window is spread over it, and this turn's part is spent.
    Paced,
    /// Calls are scarce, and others are worth more.
    Price,
    /// The channel refuses calls.
    Refused,
}

impl Limited {
    /// The name used in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cushion => "cushion",
            Self::Exhausted => "exhausted",
            Self::Paced => "paced",
            Self::Price => "price",
            Self::Refused => "refused",
        }
    }

    /// By a window of which no more than `cushion` calls are left.
    pub(super) const fn of_window(window: &WindowStanding, cushion: u64) -> Self {
        if window.free == 0 || cushion == 0 {
            Self::Exhausted
        } else {
            Self::Cushion
        }
    }
}

impl From<&Denial> for Limited {
    fn from(denial: &Denial) -> Self {
        match denial {
            Denial::Refused { .. } => Self::Refused,
            Denial::Cushion {
                window, cushion, ..
            } => Self::of_window(window, *cushion),
            Denial::Paced { .. } => Self::Paced,
            Denial::Price => Self::Price,
        }
    }
}
