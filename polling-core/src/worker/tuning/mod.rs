//! What may change while a worker runs.

mod permits;
mod tuner;

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};

pub use self::tuner::Tuner;
pub(super) use self::{
    permits::Permits,
    tuner::{Live, Paces},
};
use super::ConfigError;
use crate::{caps, rate_limit::Quota};

/// What of a worker may change while it runs: see [`Worker::tuner`](super::Worker::tuner).
///
/// Deadlines are not among it: the scheduler waits for what a worker does as long as its own configuration says, and the
/// two must fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    /// Most jobs at once: 1 to [`caps::MAX_CONCURRENCY`], and no fewer than work queues. More begin at once; when it comes
    /// down no job is interrupted, and none begins until fewer are under way.
    pub concurrency: usize,
    /// Workers that share the paces, this one included: 1 to [`caps::MAX_REPLICAS`].
    pub replicas: u32,
    /// Most events per second, over all jobs: 1 to [`caps::MAX_PUBLISH_RATE`].
    pub publish_rate: u32,
    /// Each pace of the worker by its scope's name, `app` or `account`; a second pace of a scope is `app-2`. One that is left
    /// out stays as it is, and none can be added.
    #[serde(default)]
    pub paces: BTreeMap<String, Pace>,
}

/// How many calls of a scope may be made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// Calls per second of all workers together, [`caps::MIN_PACE_PER_S`] to [`caps::MAX_PACE_PER_S`]: 0.5 is one each two
    /// seconds.
    pub rate_per_s: f64,
    /// Calls at once, of all workers together; at least 1.
    pub burst: NonZeroU32,
}

impl Pace {
    fn of(quota: Quota) -> Self {
        Self {
            rate_per_s: quota.replenish_interval().as_secs_f64().recip(),
            burst: quota.burst_size(),
        }
    }

    /// Only of a pace within its bounds: there the interval is not 0.
    fn quota(self) -> Quota {
        let interval = Duration::from_secs_f64(self.rate_per_s.recip());
        let quota = Quota::with_period(interval.max(Duration::from_nanos(1)));
        quota
            .expect("the interval is not 0")
            .allow_burst(self.burst)
    }

    fn validate(self, name: &str) -> Result<(), ConfigError> {
        let (least, most) = (caps::MIN_PACE_PER_S, caps::MAX_PACE_PER_S);
        if (least..=most).contains(&self.rate_per_s) {
            return Ok(());
        }
        Err(ConfigError::new(
            format!("paces.{name}.rate_per_s"),
            self.rate_per_s.to_string(),
            format!("{least} to {most}"),
        ))
    }
}
