//! An event bus in memory.

mod builder;
mod consume;
mod faults;
mod log;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::FutureExt;
use polling_model::{EventEnvelope, Topic, caps};
use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, timeout, timeout_at},
};

use self::log::{Log, Taken};
pub use builder::MemoryBusBuilder;

use crate::bus::{BusError, BusErrorKind, Deliveries, EventBus};

/// Events that the bus holds before publishing waits for a consumer.
pub const DEFAULT_BUS_CAPACITY: usize = 100_000;

/// How long publishing waits for room, and a delivery report for [`MemoryBus::resume`].
pub const DEFAULT_BUS_DEADLINE: Duration = Duration::from_secs(30);

/// An event bus for one process: events stay, topic by topic and in order, until somebody consumes
/// them with [`take`](Self::take), [`drain`](Self::drain) or [`receive`](Self::receive).
///
/// It holds a bounded number of events. Full, it makes publishing wait until a consumer makes room;
/// when none does so for as long as its deadline, the events left over are reported as
/// [`BusErrorKind::Timeout`]. Clones share one bus.
///
/// ```
/// use polling_transport::{EventBus, memory::MemoryBus};
/// # use polling_model::{Context, Event, Job, Token, Topic};
/// # fn found() -> Result<polling_model::EventEnvelope, Box<dyn std::error::Error>> {
/// #     let job: Job = Job {
/// #         id: "posts:42".parse()?, channel: "mastodon".parse()?, job_type: "posts".parse()?,
/// #         account: "42".parse()?, level: "gold".parse()?,
/// #         token: Token::from_wire("00000000000000a1.1.00000000000000b2")?,
/// #         due_ms: 0, not_after_ms: 1, context: Context::new(),
/// #     };
/// #     Ok(Event::new("posts".parse()?, "9", &b"hello"[..], 0).seal(&job)?)
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bus = MemoryBus::new();
/// let reports = bus.publish(vec![found()?]).await.await;
/// assert!(reports.iter().all(Result::is_ok));
///
/// let events = bus.take(&"posts".parse()?);
/// assert_eq!(events[0].payload, "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryBus {
    inner: Arc<Inner>,
}

struct Inner {
    /// The number of events that are taken and not consumed.
    capacity: usize,
    max_event_bytes: usize,
    deadline: Duration,
    log: Mutex<Log>,
    /// A permit for each event that still fits.
    room: Semaphore,
    /// Told after each change that a receiver or a flush may wait for.
    changed: Notify,
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryBus {
    /// A bus with [`DEFAULT_BUS_CAPACITY`] on which every topic exists.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// For other bounds, or a fixed set of topics.
    pub fn builder() -> MemoryBusBuilder {
        MemoryBusBuilder::new(DEFAULT_BUS_CAPACITY, caps::MAX_EVENT_SIZE_BYTES)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Each change of the log is complete before anything in it can panic.
        self.inner
            .log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for some of `wanted` events: all of them if there is so much, else for one as soon as
    /// there is. `None` when there is none for as long as the deadline.
    async fn room_for(&self, wanted: usize) -> Option<usize> {
        let room = &self.inner.room;
        let many = u32::try_from(wanted.min(self.inner.capacity)).unwrap_or(u32::MAX);
        if let Ok(permits) = room.try_acquire_many(many) {
            permits.forget();
            return Some(many as usize);
        }
        let waited = timeout(self.inner.deadline, room.acquire()).await;
        let permit = waited.ok()?.ok()?;
        permit.forget();
        Some(1)
    }
}

#[async_trait]
impl EventBus for MemoryBus {
    async fn publish(&self, batch: Vec<EventEnvelope>) -> Deliveries {
        let mut taken = Vec::with_capacity(batch.len());
        let mut rest = batch.into_iter().peekable();
        while rest.peek().is_some() {
            let Some(room) = self.room_for(rest.len()).await else {
                let kind = BusErrorKind::Timeout;
                taken.extend(rest.map(|event| Taken::Failed(BusError::new(event.topic, kind))));
                break;
            };
            let unused = {
                let mut log = self.log();
                let (before, chunk) = (taken.len(), rest.by_ref().take(room));
                taken.extend(chunk.map(|event| log.push(event, self.inner.max_event_bytes)));
                taken[before..]
                    .iter()
                    .filter(|entry| entry.is_failed())
                    .count()
            };
            self.inner.room.add_permits(unused);
            self.inner.changed.notify_waiters();
        }
        log::reports(taken, Instant::now() + self.inner.deadline).boxed()
    }

    async fn flush(&self, deadline: Duration) -> Result<(), BusError> {
        let end = Instant::now() + deadline;
        loop {
            let changed = self.inner.changed.notified();
            let Some(topic) = self.log().first_stalled() else {
                return Ok(());
            };
            if timeout_at(end, changed).await.is_err() {
                return Err(BusError::new(topic, BusErrorKind::Timeout));
            }
        }
    }

    async fn check_topic(&self, topic: &Topic) -> Result<(), BusError> {
        if self.log().exists(topic) {
            return Ok(());
        }
        Err(BusError::new(topic.clone(), BusErrorKind::NoSuchTopic))
    }
}

impl fmt::Debug for MemoryBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBus")
            .field("capacity", &self.inner.capacity)
            .field("room", &self.inner.room.available_permits())
            .finish_non_exhaustive()
    }
}
