//! The last decisions, for whoever asks.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use polling_model::{ChannelId, JobType, SharedClock};
use tokio::sync::watch;

use super::scaler::Scaler;
use crate::scaling::Decision;

/// Whose workers are counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The channel.
    pub channel: ChannelId,
    /// The kind of job.
    pub job_type: JobType,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.channel, self.job_type)
    }
}

/// A decision that was posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posted {
    pub(super) workers: u32,
    pub(super) at_ms: i64,
}

pub(super) type Posts = BTreeMap<Target, Posted>;

/// Where decisions are posted. Clones are the same board; when the last is dropped, streams end.
#[derive(Debug, Clone)]
pub struct Board {
    posts: Arc<watch::Sender<Posts>>,
    clock: SharedClock,
    max_age: Duration,
}

impl Board {
    /// An empty one. A decision older than `max_age` is not told to anybody.
    #[must_use]
    pub fn new(clock: SharedClock, max_age: Duration) -> Self {
        Self {
            posts: Arc::new(watch::Sender::new(BTreeMap::new())),
            clock,
            max_age,
        }
    }

    /// Posts a decision, in place of the last one on the same job type.
    pub fn post(&self, target: Target, decision: &Decision) {
        let posted = Posted {
            workers: decision.workers,
            at_ms: self.clock.now_ms(),
        };
        self.posts.send_modify(|posts| {
            posts.insert(target, posted);
        });
    }

    /// What tells KEDA.
    #[must_use]
    pub fn scaler(&self) -> Scaler {
        let max_age_ms = i64::try_from(self.max_age.as_millis()).unwrap_or(i64::MAX);
        Scaler::new(
            self.posts.subscribe(),
            SharedClock::clone(&self.clock),
            max_age_ms,
        )
    }
}
