//! What must hold, and what it looks like when it does not.

use std::fmt;

use polling_model::JobId;

use super::trace::stamp;

/// A promise that a run checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// After every step of the store, each registered job is in exactly one place, and registered
    /// are those that were registered and not removed. Checked by counting.
    Conserved,
    /// In one history of the store a completion is accepted only with the token of the last drain,
    /// at most once, and accepted generations of one life of a job strictly increase.
    AcceptedOnce,
    /// Each drain gives a job a higher generation than the one before.
    DrainedAnew,
    /// When a completion is stored, every event up to its context is on the bus.
    PublishedFirst,
    /// A work message is deleted only when its completion is stored, or when it is too late to be
    /// polled.
    CompletedFirst,
    /// After healing, each account's events are on the bus without a gap, up to the last that the
    /// channel had when the faults stopped.
    NothingSkipped,
    /// After healing, each registered job that is not held is settled again within its interval and
    /// the bound.
    PolledAgain,
    /// After healing, no message and no note from before is left.
    Emptied,
    /// The sweep has nothing to mend: no step leaves a job in no place, or in two.
    NothingToMend,
    /// A scheduler or worker ends only when told to.
    KeepsRunning,
    /// In no window of `t` seconds are more jobs dispatched than `cap × (t + 2)` for each
    /// scheduler, and as many as the cap for each that starts anew or whose clock jumps.
    DispatchCapped,
    /// In no window of the rate limit are there more calls than its limit, and those under way when
    /// the channel says that nothing remains.
    WithinLimit,
    /// No more polls are wasted than the faults that happened may cost.
    Economical,
}

impl Property {
    /// Whether its violation counts as a forked job; the others count as lost.
    #[must_use]
    pub const fn is_fork(self) -> bool {
        matches!(self, Self::AcceptedOnce | Self::DrainedAnew)
    }
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub property: Property,
    /// Since the beginning of the run, milliseconds.
    pub at_ms: i64,
    /// The job concerned, where there is one.
    pub job: Option<JobId>,
    /// What was seen.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} violated at {}", self.property, stamp(self.at_ms))?;
        if let Some(job) = &self.job {
            write!(f, " by job {job}")?;
        }
        write!(f, ": {}", self.detail)
    }
}
