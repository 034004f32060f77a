//! Settings of a queue in memory.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use polling_model::{SharedClock, caps::MAX_MESSAGE_SIZE_BYTES};
use tokio::sync::Notify;

use super::{MemoryQueue, Redrive, store::Store};

/// Visibility timeout unless set otherwise; SQS has the same.
pub const DEFAULT_VISIBILITY_TIMEOUT: Duration = Duration::from_secs(30);

/// Messages that a queue holds at most unless set otherwise.
pub const DEFAULT_CAPACITY: usize = 1_000_000;

/// Messages that one receive returns at most unless set otherwise.
pub const DEFAULT_MAX_RECEIVE_BATCH: usize = 1_000;

/// The clock counts milliseconds, so nothing shorter can be timed.
const MIN_VISIBILITY_TIMEOUT: Duration = Duration::from_millis(1);

/// Builds a [`MemoryQueue`].
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct MemoryQueueBuilder {
    name: String,
    clock: SharedClock,
    visibility_timeout: Duration,
    redrive: Option<Redrive>,
    capacity: usize,
    max_receive_batch: usize,
    max_message_size_bytes: usize,
}

impl MemoryQueueBuilder {
    pub(super) fn new(name: String, clock: SharedClock) -> Self {
        Self {
            name,
            clock,
            visibility_timeout: DEFAULT_VISIBILITY_TIMEOUT,
            redrive: None,
            capacity: DEFAULT_CAPACITY,
            max_receive_batch: DEFAULT_MAX_RECEIVE_BATCH,
            max_message_size_bytes: MAX_MESSAGE_SIZE_BYTES,
        }
    }

    /// How long a received message stays invisible; [`DEFAULT_VISIBILITY_TIMEOUT`] unless set, at
    /// least one millisecond.
    pub const fn visibility_timeout(mut self, timeout: Duration) -> Self {
        self.visibility_timeout = timeout;
        self
    }

    /// Where a message goes that was received `max_receives` times (at least once) and not
    /// acknowledged.
    pub fn dead_letter(mut self, queue: Arc<MemoryQueue>, max_receives: u32) -> Self {
        self.redrive = Some(Redrive {
            queue,
            max_receives: max_receives.max(1),
        });
        self
    }

    /// How many messages the queue holds, visible and in flight together; [`DEFAULT_CAPACITY`]
    /// unless set.
    pub const fn capacity(mut self, messages: usize) -> Self {
        self.capacity = messages;
        self
    }

    /// How many messages one receive returns at most, at least one;
    /// [`DEFAULT_MAX_RECEIVE_BATCH`] unless set.
    pub const fn max_receive_batch(mut self, messages: usize) -> Self {
        self.max_receive_batch = messages;
        self
    }

    /// The largest message, in bytes; [`MAX_MESSAGE_SIZE_BYTES`] unless set.
    pub const fn max_message_size_bytes(mut self, size_bytes: usize) -> Self {
        self.max_message_size_bytes = size_bytes;
        self
    }

    /// The queue, empty.
    #[must_use]
    pub fn build(self) -> Arc<MemoryQueue> {
        Arc::new(MemoryQueue {
            name: self.name,
            clock: self.clock,
            visibility_timeout: self.visibility_timeout.max(MIN_VISIBILITY_TIMEOUT),
            redrive: self.redrive,
            capacity: self.capacity,
            max_receive_batch: self.max_receive_batch.max(1),
            max_message_size_bytes: self.max_message_size_bytes,
            store: Mutex::new(Store::default()),
            arrivals: Notify::new(),
        })
    }
}
