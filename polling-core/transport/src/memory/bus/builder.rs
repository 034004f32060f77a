//! The bounds of a bus, and which topics exist.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use polling_model::Topic;
use tokio::sync::{Notify, Semaphore};

use super::{DEFAULT_BUS_DEADLINE, Inner, MemoryBus, log::Log};

/// Builds a [`MemoryBus`].
#[derive(Debug, Clone)]
#[must_use]
pub struct MemoryBusBuilder {
    capacity: usize,
    max_event_bytes: usize,
    deadline: Duration,
    topics: Option<BTreeSet<Topic>>,
}

impl MemoryBusBuilder {
    pub(super) fn new(capacity: usize, max_event_bytes: usize) -> Self {
        Self {
            capacity,
            max_event_bytes,
            deadline: DEFAULT_BUS_DEADLINE,
            topics: None,
        }
    }

    /// How many events the bus holds, all topics together, before publishing waits; at least 1.
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// The largest event the bus takes, in bytes, by [`size_bytes`]; default
    /// [`caps::MAX_EVENT_SIZE_BYTES`].
    ///
    /// [`size_bytes`]: polling_model::EventEnvelope::size_bytes
    /// [`caps::MAX_EVENT_SIZE_BYTES`]: polling_model::caps::MAX_EVENT_SIZE_BYTES
    pub fn max_event_bytes(mut self, bytes: usize) -> Self {
        self.max_event_bytes = bytes;
        self
    }

    /// How long publishing waits for room, and a delivery report for [`MemoryBus::resume`];
    /// default [`DEFAULT_BUS_DEADLINE`].
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Only these topics exist; without this, every topic does.
    pub fn topics(mut self, topics: impl IntoIterator<Item = Topic>) -> Self {
        self.topics = Some(topics.into_iter().collect());
        self
    }

    /// The bus, empty.
    #[must_use]
    pub fn build(self) -> MemoryBus {
        MemoryBus {
            inner: Arc::new(Inner {
                capacity: self.capacity,
                max_event_bytes: self.max_event_bytes,
                deadline: self.deadline,
                log: Mutex::new(Log::new(self.topics)),
                room: Semaphore::new(self.capacity),
                changed: Notify::new(),
            }),
        }
    }
}
