//! What is known at one moment.

use std::time::Duration;

/// What is known of a job type at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// When, UTC milliseconds.
    pub now_ms: i64,
    /// Jobs that wait in the queue.
    pub waiting: u64,
    /// Jobs that workers have received and not finished.
    pub in_flight: u64,
    /// How long the oldest of those that wait has waited, milliseconds; by Little's law from their number if the queue
    /// does not tell.
    pub oldest_age_ms: Option<i64>,
    /// What comes, soonest first.
    pub look_ahead: Vec<LookAhead>,
    /// Jobs that came since the last sample, if somebody counts all of them.
    pub arrived: Option<u64>,
    /// Jobs finished since the last sample, if somebody counts all of them.
    pub completed: Option<u64>,
    /// Workers that can take jobs, if somebody counts them; otherwise those asked for are taken to start in time.
    pub workers: Option<u32>,
}

/// How many jobs come within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookAhead {
    /// From now on.
    pub within: Duration,
    /// All that come by then.
    pub jobs: u64,
}
