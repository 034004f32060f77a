//! Sees polls that block their thread, where no timer of their own task can fire.

use std::{fmt, time::Duration};

use crate::{
    Job, JobType, Observation, SharedObserver,
    alarms::{Alarm, Alarms},
    model::JobId,
};

/// Reports polls as hanging that are still there when their deadline and the grace are over.
#[derive(Clone)]
pub(super) struct Watchdog {
    polls: Alarms<Poll, ()>,
    grace: Duration,
}

/// What is told of a poll that hangs.
pub(super) struct Poll {
    id: JobId,
    job_type: JobType,
}

/// A poll under way, until this is dropped.
pub(super) type Watched = Alarm<Poll, ()>;

impl Watchdog {
    pub(super) fn new(observer: SharedObserver, grace: Duration) -> Self {
        let report = move |Poll { id, job_type }: Poll| {
            tracing::error!(job = %id, kind = %job_type, "poll hangs: it blocks its thread past its deadline");
            observer.observe(Observation::Bug {
                job_type: &job_type,
                kind: "hang",
            });
        };
        Self {
            polls: Alarms::new(report),
            grace,
        }
    }

    pub(super) fn watch(&self, job: &Job) -> Watched {
        let poll = Poll {
            id: job.id.clone(),
            job_type: job.job_type.clone(),
        };
        self.polls.set(job.deadline() + self.grace, poll)
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog")
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}
