//! The events that the bus has taken and not yet reported: how many may there be, how many are
//! there of each topic, and does anything move.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use polling_model::Topic;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};

/// The longest wait for librdkafka to have room in bytes without a report in between.
const RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// The parts of the room that publishers wait for.
const SHARES: usize = 8;

/// What is in flight, over all producers of a bus.
pub(super) struct InFlight {
    room: Arc<Semaphore>,
    /// How much room a publisher waits for at once, so that it is not woken for every event.
    share: usize,
    /// How many presences each topic has.
    by_topic: Mutex<BTreeMap<Topic, usize>>,
    /// Told at each report, and when a topic has nothing in flight any more.
    reported: Notify,
    delivered: AtomicU64,
}

impl InFlight {
    pub(super) fn new(max_events: usize) -> Arc<Self> {
        Arc::new(Self {
            room: Arc::new(Semaphore::new(max_events)),
            share: max_events.div_ceil(SHARES),
            by_topic: Mutex::default(),
            reported: Notify::new(),
            delivered: AtomicU64::new(0),
        })
    }

    /// Takes note of a successful delivery: the bus makes progress.
    pub(super) fn note_delivered(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until nothing is in flight, else tells a topic that still is.
    pub(super) async fn settle(&self, end: Instant) -> Result<(), Topic> {
        loop {
            let reported = self.reported.notified();
            let Some(topic) = self.first_topic() else {
                return Ok(());
            };
            if timeout_at(end, reported).await.is_err() {
                return Err(topic);
            }
        }
    }

    fn first_topic(&self) -> Option<Topic> {
        self.lock().keys().next().cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Topic, usize>> {
        // Counting cannot panic half-way.
        self.by_topic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That events of a topic are in flight; shared by those that follow each other in a batch, so
/// that counting costs little.
struct Presence {
    in_flight: Arc<InFlight>,
    topic: Topic,
}

impl Presence {
    fn of(topic: &Topic, in_flight: &Arc<InFlight>) -> Arc<Self> {
        *in_flight.lock().entry(topic.clone()).or_default() += 1;
        Arc::new(Self {
            in_flight: Arc::clone(in_flight),
            topic: topic.clone(),
        })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut by_topic = self.in_flight.lock();
        if let Some(count) = by_topic.get_mut(&self.topic) {
            *count -= 1;
            if *count == 0 {
                by_topic.remove(&self.topic);
            }
        }
        drop(by_topic);
        self.in_flight.reported.notify_waiters();
    }
}

/// The place of one event in flight, given back when dropped.
pub(super) struct Place {
    presence: Arc<Presence>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    pub(super) fn topic(&self) -> &Topic {
        &self.presence.topic
    }

    pub(super) fn in_flight(&self) -> &InFlight {
        &self.presence.in_flight
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.in_flight().reported.notify_waiters();
    }
}

/// Waiting for room as long as the bus delivers anything at all: a large batch on a slow bus may
/// take many times the deadline, a bus that stands still may not.
pub(super) struct Patience {
    in_flight: Arc<InFlight>,
    deadline: Duration,
    seen: u64,
    since: Instant,
    /// Room that was found and not used yet.
    reserve: Option<OwnedSemaphorePermit>,
    /// That of the last event.
    last: Option<Arc<Presence>>,
}

impl Patience {
    pub(super) fn new(in_flight: Arc<InFlight>, deadline: Duration) -> Self {
        let seen = in_flight.delivered.load(Ordering::Relaxed);
        Self {
            in_flight,
            deadline,
            seen,
            since: Instant::now(),
            reserve: None,
            last: None,
        }
    }

    /// A place for an event, the first of `wanted`; `None` when nothing was delivered for as long
    /// as the deadline.
    pub(super) async fn place(&mut self, topic: &Topic, wanted: usize) -> Option<Place> {
        loop {
            if let Some(permit) = self.reserve.as_mut().and_then(|reserve| reserve.split(1)) {
                let presence = self.presence_of(topic);
                return Some(Place {
                    presence,
                    _permit: permit,
                });
            }
            self.reserve = Some(self.room(wanted).await?);
        }
    }

    fn presence_of(&mut self, topic: &Topic) -> Arc<Presence> {
        let last = self.last.take().filter(|last| last.topic == *topic);
        let presence = last.unwrap_or_else(|| Presence::of(topic, &self.in_flight));
        self.last = Some(Arc::clone(&presence));
        presence
    }

    async fn room(&mut self, wanted: usize) -> Option<OwnedSemaphorePermit> {
        let room = Arc::clone(&self.in_flight.room);
        let count = wanted.clamp(1, self.in_flight.share);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if let Ok(permits) = Arc::clone(&room).try_acquire_many_owned(count) {
            return Some(permits);
        }
        loop {
            let end = self.end()?;
            let acquire = Arc::clone(&room).acquire_many_owned(count);
            if let Ok(Ok(permits)) = timeout_at(end, acquire).await {
                // Room that only failures made is no progress.
                self.end()?;
                return Some(permits);
            }
        }
    }

    /// Waits for a report, but not long: librdkafka counts an event's bytes until a moment after
    /// its report. `None` when nothing was delivered for as long as the deadline.
    pub(super) async fn for_bytes(&mut self) -> Option<()> {
        self.end()?;
        // Running out of time is the other way this wait ends.
        let _ = timeout(RETRY_INTERVAL, self.in_flight.reported.notified()).await;
        Some(())
    }

    /// When to give up, unless something is delivered before; `None` if that is over.
    fn end(&mut self) -> Option<Instant> {
        let delivered = self.in_flight.delivered.load(Ordering::Relaxed);
        let now = Instant::now();
        if delivered != self.seen {
            self.seen = delivered;
            self.since = now;
        }
        let end = self.since + self.deadline;
        (now < end).then_some(end)
    }
}
