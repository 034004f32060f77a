//! Checks that most workers and schedulers need.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use polling_model::{SharedClock, SystemClock};
//! use polling_ops::health::{Health, checks};
//! use polling_transport::memory::{MemoryBus, MemoryQueue};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock: SharedClock = Arc::new(SystemClock);
//! let work = MemoryQueue::builder("posts", clock.clone()).build();
//! let bus = Arc::new(MemoryBus::new());
//! let last_completion_ms = || Some(1_800_000_000_000);
//! let health = Health::builder(clock.clone())
//!     .check(checks::queue(work))
//!     .check(checks::topic(bus, "events".parse()?).only_degrades())
//!     .check(checks::age("completions", clock, Duration::from_secs(600), last_completion_ms))
//!     .build()?;
//! # Ok(())
//! # }
//! ```

use std::{sync::Arc, time::Duration};

use polling_model::{SharedClock, Topic};
use polling_transport::{SharedBus, SharedQueue};

pub use super::late::{Late, late};
use super::{Check, Verdict};

/// `queue NAME`: the queue answers. Of SQS, of Redis, of any other.
pub fn queue(queue: SharedQueue) -> Check {
    Check::new(format!("queue {}", queue.name()), move || {
        let queue = Arc::clone(&queue);
        async move { queue.stats().await.map(drop) }
    })
}

/// `topic NAME`: the bus can be reached, and the topic can be published to.
pub fn topic(bus: SharedBus, topic: Topic) -> Check {
    Check::new(format!("topic {topic}"), move || {
        let (bus, topic) = (Arc::clone(&bus), topic.clone());
        async move { bus.check_topic(&topic).await }
    })
}

/// `settings`: every value that a source holds is in force, and every source answers. Otherwise it is degraded, and never
/// more: the last good values stay.
#[cfg(feature = "config")]
pub fn settings<T: Send + Sync + 'static>(settings: &crate::config::Settings<T>) -> Check {
    let settings = settings.clone();
    let look = move || {
        let reason = settings.current().lacks();
        reason.map_or_else(Verdict::passing, Verdict::degraded)
    };
    Check::new("settings", look).cache(Duration::ZERO)
}

/// `redis NAME`: a Redis answers; by any asynchronous connection of the crate `redis` that can be
/// cloned, monitored or not.
#[cfg(feature = "redis")]
pub fn redis<C>(name: &str, connection: C) -> Check
where
    C: ::redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
{
    Check::new(format!("redis {name}"), move || {
        let mut connection = connection.clone();
        async move {
            let ping = ::redis::cmd("PING");
            ping.query_async::<()>(&mut connection).await
        }
    })
}

/// How old something may be.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct AgeBound {
    max: Duration,
    degraded_after: Option<Duration>,
}

impl AgeBound {
    /// What is older than `max` fails.
    pub const fn at_most(max: Duration) -> Self {
        Self {
            max,
            degraded_after: None,
        }
    }

    /// What is older than this is degraded.
    pub const fn degraded_after(mut self, age: Duration) -> Self {
        self.degraded_after = Some(age);
        self
    }

    fn verdict(self, what: &str, age_ms: i64) -> Verdict {
        // A clock that was set back makes nothing old.
        let age = Duration::from_millis(u64::try_from(age_ms).unwrap_or(0));
        let said = |bound: Duration| format!("{what} {age:?} ago, more than {bound:?}");
        match self.degraded_after {
            _ if age > self.max => Verdict::failing(said(self.max)),
            Some(bound) if age > bound => Verdict::degraded(said(bound)),
            _ => Verdict::passing(),
        }
    }
}

impl From<Duration> for AgeBound {
    fn from(max: Duration) -> Self {
        Self::at_most(max)
    }
}

/// Something happens often enough: a tick, a completion, a fetch of the configuration. `last_ms`
/// tells when it last did, UTC milliseconds by `clock`; `None` counts from the making of this
/// check, so that a start may take as long as the bound.
pub fn age(
    name: impl Into<String>,
    clock: SharedClock,
    bound: impl Into<AgeBound>,
    last_ms: impl Fn() -> Option<i64> + Send + Sync + 'static,
) -> Check {
    let bound = bound.into();
    let made_ms = clock.now_ms();
    let look = move || {
        let now_ms = clock.now_ms();
        match last_ms() {
            Some(last_ms) => bound.verdict("last", now_ms - last_ms),
            None => bound.verdict("not once since the start", now_ms - made_ms),
        }
    };
    Check::new(name, look).cache(Duration::ZERO)
}

/// Nothing waits for too long: a pump with work under way that ends none of it is stuck.
/// `waiting_since_ms` tells since when, UTC milliseconds by `clock`; `None` while nothing waits,
/// so that an idle pump passes.
pub fn stuck(
    name: impl Into<String>,
    clock: SharedClock,
    bound: impl Into<AgeBound>,
    waiting_since_ms: impl Fn() -> Option<i64> + Send + Sync + 'static,
) -> Check {
    let bound = bound.into();
    let look = move || match waiting_since_ms() {
        None => Verdict::passing(),
        Some(since_ms) => bound.verdict("stuck, since", clock.now_ms() - since_ms),
    };
    Check::new(name, look).cache(Duration::ZERO)
}
