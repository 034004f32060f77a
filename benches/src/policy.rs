//! A decision as the cycle asks for it.

use std::time::Duration;

use anyhow::Context as _;
use polling_model::{JobId, Nonce, SlotRing};
use scheduler_lib::{
    policy::{Ended, FixedIntervals, JobTypeRules, Placement, Situation, decide},
    store::{JobState, Place},
};

use crate::jobs;

/// When decisions are made, UTC milliseconds.
pub const NOW_MS: i64 = 1_700_000_000_000;

/// How the poll ended that is decided on.
pub const SUCCEEDED: Ended<'_> = Ended::Completed {
    succeeded: true,
    failure: None,
    saturated: false,
};

/// What is to be decided of a job whose poll succeeded: when it is polled next, and why.
#[derive(Debug)]
pub struct Decision {
    id: JobId,
    state: JobState,
    rules: JobTypeRules,
}

impl Decision {
    /// Of a job at a fixed interval.
    ///
    /// # Errors
    ///
    /// Never: its names are valid.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            id: JobId::new("posts:42").context("a valid id")?,
            state: state()?,
            rules: JobTypeRules::every(Duration::from_secs(300)),
        })
    }

    /// Decides.
    #[must_use]
    pub fn decide(&self) -> Placement {
        decide(&Situation {
            id: &self.id,
            state: &self.state,
            rules: &self.rules,
            level: &self.state.level,
            frequency: &FixedIntervals,
            scopes: &[],
            activity: None,
            ended: SUCCEEDED,
            ring: SlotRing::MINUTES,
            now_ms: NOW_MS,
            jitter: 0.5,
        })
    }
}

/// A job in flight, polled for the first time.
///
/// # Errors
///
/// Never: its names are valid.
pub fn state() -> anyhow::Result<JobState> {
    Ok(JobState {
        job_type: jobs::job_type(),
        account: "42".parse()?,
        level: "gold".parse()?,
        cushion: None,
        pace: None,
        incarnation: Nonce(1),
        generation: 1,
        nonce: Some(Nonce(2)),
        revision: 0,
        place: Place::InFlight {
            deadline_ms: NOW_MS + 60_000,
        },
        due_ms: NOW_MS - 500,
        attempts: 0,
        strikes: 0,
        run_now: false,
        settled_ms: 0,
        scopes: Vec::new(),
        activity: None,
        reasons: Default::default(),
    })
}
