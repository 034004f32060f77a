//! Work queues that nobody empties.
//!
//! A job in flight past its deadline is dispatched anew, though its message may still wait in the
//! queue: without workers each lease would add a message for every job. So while the jobs of a type
//! are unanswered and its queue is not empty, new leases are longer by as long as this lasts. They
//! double, and a day without workers leaves some twenty messages for a job, not hundreds; the last
//! of them is still good when the workers return.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use polling_model::JobType;

use super::Cycle;
use crate::{
    channel::Kind,
    limits::{MAX_LONGER_LEASE, STATS_DEADLINE, STATS_EVERY},
};

/// Job types whose dispatches are unanswered.
#[derive(Debug, Default)]
pub(super) struct Backlog(Mutex<BTreeMap<JobType, Unanswered>>);

#[derive(Debug, Clone, Copy)]
struct Unanswered {
    /// The first dispatch without an answer after it, UTC milliseconds.
    since_ms: i64,
    looked_ms: i64,
    waiting: bool,
}

impl Backlog {
    /// A job of this type was dispatched.
    pub(super) fn dispatched(&self, job_type: &JobType, now_ms: i64) {
        let mut types = self.types();
        if !types.contains_key(job_type) {
            let unanswered = Unanswered {
                since_ms: now_ms,
                looked_ms: i64::MIN,
                waiting: false,
            };
            types.insert(job_type.clone(), unanswered);
        }
    }

    /// A worker has completed a job of this type.
    pub(super) fn answered(&self, job_type: &JobType) {
        self.types().remove(job_type);
    }

    fn types(&self) -> MutexGuard<'_, BTreeMap<JobType, Unanswered>> {
        // One change of the map cannot be left half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cycle {
    /// How much longer than usual a message sent now may wait.
    pub(super) async fn longer_wait(&self, job_type: &JobType, kind: &Kind) -> Duration {
        let now_ms = self.clock.now_ms();
        let Some(unanswered) = self.backlog.types().get(job_type).copied() else {
            return Duration::ZERO;
        };
        let silent_ms = (now_ms - unanswered.since_ms).max(0).unsigned_abs();
        let silent = Duration::from_millis(silent_ms);
        if silent < kind.message_life(&self.channel.limits()) {
            return Duration::ZERO;
        }
        let looked_at = unanswered
            .looked_ms
            .saturating_add(STATS_EVERY.as_millis() as i64);
        let waiting = if now_ms < looked_at {
            unanswered.waiting
        } else {
            self.look(job_type, kind, now_ms).await
        };
        if waiting {
            silent.min(MAX_LONGER_LEASE)
        } else {
            Duration::ZERO
        }
    }

    /// Whether messages wait in a type's queue. If not, the unanswered ones are lost, or under way.
    async fn look(&self, job_type: &JobType, kind: &Kind, now_ms: i64) -> bool {
        let stats = tokio::time::timeout(STATS_DEADLINE, kind.work.stats()).await;
        let waiting = matches!(stats, Ok(Ok(stats)) if stats.visible > 0);
        if let Some(unanswered) = self.backlog.types().get_mut(job_type) {
            (unanswered.looked_ms, unanswered.waiting) = (now_ms, waiting);
        }
        waiting
    }
}
