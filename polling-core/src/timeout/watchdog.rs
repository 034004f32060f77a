//! Sees polls that block their thread, where no timer of their own task can fire.

use std::time::Duration;

use tokio::time::sleep_until;
use tokio_util::task::AbortOnDropHandle;

use crate::{Job, Observation, SharedObserver};

/// Reports its job as hanging unless it is dropped before the deadline and the grace are over.
#[derive(Debug)]
pub(super) struct Watchdog {
    _task: AbortOnDropHandle<()>,
}

impl Watchdog {
    pub(super) fn new(job: &Job, observer: &SharedObserver, grace: Duration) -> Self {
        let end = job.deadline() + grace;
        let (id, job_type) = (job.id.clone(), job.job_type.clone());
        let observer = observer.clone();
        let watching = async move {
            sleep_until(end).await;
            tracing::error!(job = %id, kind = %job_type, "poll hangs: it blocks its thread past its deadline");
            observer.observe(Observation::Bug {
                job_type: &job_type,
                kind: "hang",
            });
        };
        Self {
            _task: AbortOnDropHandle::new(tokio::spawn(watching)),
        }
    }
}
