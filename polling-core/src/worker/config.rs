//! What an operator may set.

use std::{borrow::Cow, num::NonZeroU32, ops::RangeInclusive, time::Duration};

use crate::{caps, publish::PublishLimits, rate_limit::Replicas};

/// Bounds of a worker, with defaults that fit a channel whose polls take seconds.
///
/// ```
/// use std::time::Duration;
/// use polling_core::WorkerConfig;
///
/// let config = WorkerConfig {
///     concurrency: 16,
///     poll_timeout: Duration::from_secs(5),
///     ..WorkerConfig::default()
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerConfig {
    /// The first part of the worker's identity, for logs; 1 to [`caps::MAX_NAME_LEN`] bytes.
    pub name: String,
    /// Most jobs at once: 1 to [`caps::MAX_CONCURRENCY`], and no fewer than work queues. Default
    /// 64.
    pub concurrency: usize,
    /// Longest wait for a rate limit's window or pace, up to [`caps::MAX_LIFETIME`]; a job that
    /// would wait longer is completed as rate limited. Default 2 s.
    pub rate_limit_wait: Duration,
    /// Workers that share the paces of [`WorkerBuilder::pace`](crate::WorkerBuilder::pace), this
    /// one included: each takes one part of them. 1 to [`caps::MAX_REPLICAS`]. Default 1. See
    /// [`Worker::replicas`](crate::Worker::replicas) for a number that changes.
    pub replicas: u32,
    /// Deadline of a poll, from [`caps::MIN_TIMEOUT`] to [`caps::MAX_LIFETIME`]. Default 30 s.
    pub poll_timeout: Duration,
    /// How long past its deadline a poll may still be there, because it blocks its thread, before
    /// it is reported as hanging. Bounds as for a deadline. Default 5 s.
    pub hang_grace: Duration,
    /// Longest time that publishing one poll's events may take; bounds as for a poll. Default
    /// 120 s.
    pub publish_timeout: Duration,
    /// Most events per second, over all jobs: 1 to [`caps::MAX_PUBLISH_RATE`]. Default 10,000.
    pub publish_rate: u32,
    /// Most events at once, over all jobs: 1 to [`caps::MAX_PUBLISH_RATE`]. Default 10,000.
    pub publish_burst: u32,
    /// Longest time that storing a completion may take; bounds as for a poll. Default 10 s.
    pub complete_timeout: Duration,
    /// How long a message is kept invisible at most, from its receipt; bounds as for a poll. All
    /// of the deadlines above must fit into it. Default 5 min.
    pub max_lifetime: Duration,
    /// How long one receive waits for a message, up to [`caps::MAX_RECEIVE_WAIT`]. Default 20 s.
    /// An idle worker takes as long to end.
    pub receive_wait: Duration,
    /// How long jobs and open receives may go on at shutdown, up to [`caps::MAX_SHUTDOWN_GRACE`].
    /// Default 25 s, less than what orchestrators usually give.
    pub shutdown_grace: Duration,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            name: "worker".to_owned(),
            concurrency: 64,
            rate_limit_wait: Duration::from_secs(2),
            replicas: 1,
            poll_timeout: Duration::from_secs(30),
            hang_grace: Duration::from_secs(5),
            publish_timeout: Duration::from_secs(120),
            publish_rate: 10_000,
            publish_burst: 10_000,
            complete_timeout: Duration::from_secs(10),
            max_lifetime: Duration::from_secs(300),
            receive_wait: Duration::from_secs(20),
            shutdown_grace: Duration::from_secs(25),
        }
    }
}

/// A field of [`WorkerConfig`], or of a [`Tuning`](super::Tuning), that is out of its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("worker configuration: {field} is {found}: it needs {needed}")]
pub struct ConfigError {
    field: Cow<'static, str>,
    found: String,
    needed: String,
}

impl ConfigError {
    pub(super) fn new(field: impl Into<Cow<'static, str>>, found: String, needed: String) -> Self {
        Self {
            field: field.into(),
            found,
            needed,
        }
    }

    /// The field, with dots between a map's name and its key.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl WorkerConfig {
    /// Whether every field is within its bounds, and the deadlines fit into each other.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first that does not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let deadline = caps::MIN_TIMEOUT..=caps::MAX_LIFETIME;
        let wait = Duration::ZERO..=caps::MAX_LIFETIME;
        within("name's length", &self.name.len(), &(1..=caps::MAX_NAME_LEN))?;
        within(
            "concurrency",
            &self.concurrency,
            &(1..=caps::MAX_CONCURRENCY),
        )?;
        within("rate_limit_wait", &self.rate_limit_wait, &wait)?;
        within("replicas", &self.replicas, &(1..=caps::MAX_REPLICAS))?;
        within("poll_timeout", &self.poll_timeout, &deadline)?;
        within("hang_grace", &self.hang_grace, &deadline)?;
        within("publish_timeout", &self.publish_timeout, &deadline)?;
        within(
            "publish_rate",
            &self.publish_rate,
            &(1..=caps::MAX_PUBLISH_RATE),
        )?;
        within(
            "publish_burst",
            &self.publish_burst,
            &(1..=caps::MAX_PUBLISH_RATE),
        )?;
        within("complete_timeout", &self.complete_timeout, &deadline)?;
        within("max_lifetime", &self.max_lifetime, &deadline)?;
        within(
            "receive_wait",
            &self.receive_wait,
            &(Duration::ZERO..=caps::MAX_RECEIVE_WAIT),
        )?;
        within(
            "shutdown_grace",
            &self.shutdown_grace,
            &(Duration::ZERO..=caps::MAX_SHUTDOWN_GRACE),
        )?;
        self.validate_lifetime()
    }

    /// Each queue needs a permit to receive with.
    pub(super) fn validate_queues(&self, queues: usize) -> Result<(), ConfigError> {
        if self.concurrency >= queues {
            return Ok(());
        }
        Err(ConfigError::new(
            "concurrency",
            self.concurrency.to_string(),
            format!("{queues} at least, one for each work queue"),
        ))
    }

    /// A job that uses all of its deadlines must not outlive the time its message stays ours.
    fn validate_lifetime(&self) -> Result<(), ConfigError> {
        let longest = caps::SUSPECT_WAIT
            + self.rate_limit_wait
            + self.poll_timeout
            + self.publish_timeout
            + self.complete_timeout;
        if longest <= self.max_lifetime {
            return Ok(());
        }
        Err(ConfigError::new(
            "max_lifetime",
            format!("{:?}", self.max_lifetime),
            format!(
                "{longest:?} at least, the sum of rate_limit_wait, poll_timeout, publish_timeout, \
                 complete_timeout and {:?} for a turn",
                caps::SUSPECT_WAIT
            ),
        ))
    }

    /// What a job must have left for a poll to be worth its while.
    pub(super) fn reserve(&self) -> Duration {
        self.rate_limit_wait + self.poll_timeout + self.complete_timeout
    }

    /// Only of a validated configuration: there it is not 0.
    pub(super) fn replicas(&self) -> Replicas {
        Replicas::new(positive(self.replicas))
    }

    /// Only of a validated configuration: there the rate and the burst are not 0.
    pub(super) fn publish_limits(&self) -> PublishLimits {
        PublishLimits {
            rate: positive(self.publish_rate),
            burst: positive(self.publish_burst),
            timeout: self.publish_timeout,
            reserve: self.complete_timeout,
        }
    }
}

pub(super) fn positive(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

fn within<T: PartialOrd + std::fmt::Debug>(
    field: &'static str,
    found: &T,
    bounds: &RangeInclusive<T>,
) -> Result<(), ConfigError> {
    if bounds.contains(found) {
        return Ok(());
    }
    Err(ConfigError::new(
        field,
        format!("{found:?}"),
        format!("{:?} to {:?}", bounds.start(), bounds.end()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(WorkerConfig::default().validate(), Ok(()));
    }

    #[test]
    fn an_error_names_the_field_and_its_bounds() {
        let config = WorkerConfig {
            concurrency: 0,
            ..WorkerConfig::default()
        };
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "worker configuration: concurrency is 0: it needs 1 to 10000"
        );
        let config = WorkerConfig {
            replicas: 0,
            ..WorkerConfig::default()
        };
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "worker configuration: replicas is 0: it needs 1 to 10000"
        );
    }

    #[test]
    fn deadlines_that_outlive_the_message_are_refused() {
        let config = WorkerConfig {
            publish_timeout: Duration::from_secs(256),
            ..WorkerConfig::default()
        };
        let error = config.validate().unwrap_err();
        assert_eq!(error.field(), "max_lifetime");
        assert!(error.to_string().contains("301s at least"), "{error}");
    }
}
