//! A plan, run in steps of ten milliseconds: slots, schedulers, Redis masters, queues, workers.
//!
//! Jobs are counted, not followed: what is due is kept by when it was due, so that the lateness of
//! each is known. What the plan takes for even is drawn: how fast a master is, where jobs are
//! placed, when schedulers look.

mod ages;
mod draws;
mod lateness;
mod masters;
mod polls;
mod run;
mod schedulers;
mod slots;
mod workers;

use serde::Serialize;

pub use self::run::simulate;

/// A step, seconds.
pub const STEP_S: f64 = 0.01;

/// Who is away, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outage {
    /// Nobody.
    None,
    /// One Redis master.
    Master {
        /// From when on, seconds.
        at_s: f64,
        /// For how long, seconds.
        for_s: f64,
    },
    /// One scheduler, which dies with its chunks half sent.
    Scheduler {
        /// From when on, seconds.
        at_s: f64,
        /// For how long, seconds.
        for_s: f64,
    },
}

impl Outage {
    pub(super) fn master_is_away(self, now_s: f64) -> bool {
        matches!(self, Self::Master { at_s, for_s } if (at_s..at_s + for_s).contains(&now_s))
    }

    pub(super) fn scheduler_is_away(self, now_s: f64) -> bool {
        matches!(self, Self::Scheduler { at_s, for_s } if (at_s..at_s + for_s).contains(&now_s))
    }

    fn end_s(self) -> f64 {
        match self {
            Self::None => f64::INFINITY,
            Self::Master { at_s, for_s } | Self::Scheduler { at_s, for_s } => at_s + for_s,
        }
    }
}

/// How it is run.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// What is drawn follows from it.
    pub seed: u64,
    /// For how long, seconds.
    pub seconds: f64,
    /// Who is away meanwhile.
    pub outage: Outage,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// Polls that began, a second.
    pub jobs_per_s: f64,
    /// From the paced time to the poll's begin, seconds: of 99 in 100 jobs no more than this.
    pub lateness_p99_s: f64,
    /// Of all.
    pub lateness_max_s: f64,
    /// Used of the masters' time.
    pub master_use: f64,
    /// Used of the schedulers' cores.
    pub scheduler_use: f64,
    /// Used of the workers' cores.
    pub worker_use: f64,
    /// Used of the permits.
    pub permit_use: f64,
    /// The fullest slot of a shard over the mean of all.
    pub fullest_slot: f64,
    /// After an outage, until no job begins more than a second late, seconds.
    pub catch_up_s: f64,
}
