//! A queue in memory, with the behaviour of SQS.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use polling_model::SystemClock;
//! use polling_transport::{Queue, memory::MemoryQueue};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), polling_transport::QueueError> {
//! let clock = Arc::new(SystemClock);
//! let dead = MemoryQueue::builder("jobs-dead", clock.clone()).build();
//! let jobs = MemoryQueue::builder("jobs", clock)
//!     .visibility_timeout(Duration::from_secs(30))
//!     .dead_letter(dead, 3)
//!     .build();
//!
//! jobs.send(vec!["poll account 42".to_owned()]).await;
//! for message in jobs.receive(10, Duration::from_secs(20)).await? {
//!     assert_eq!(message.body, "poll account 42");
//!     jobs.ack(&message.receipt).await?;
//! }
//! # Ok(())
//! # }
//! ```

mod builder;
mod store;

use std::{
    collections::BTreeMap,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use polling_model::{SharedClock, TraceContext};
use tokio::{
    sync::Notify,
    task::yield_now,
    time::{Instant, sleep_until},
};

pub use self::builder::{
    DEFAULT_CAPACITY, DEFAULT_MAX_RECEIVE_BATCH, DEFAULT_VISIBILITY_TIMEOUT, MemoryQueueBuilder,
};
use self::store::{Delivery, Store, Stored};
use crate::queue::{
    EntryError, Message, Outgoing, Queue, QueueError, QueueErrorKind, QueueStats, Receipt,
};

/// The longest that a receive waits, whatever it is asked to.
const MAX_WAIT: Duration = Duration::from_secs(86_400);

/// A queue in memory, for as many tasks of one process as like.
///
/// First in, first out; a message that comes back goes to the end of the line. The visibility
/// timeout and the ages follow the clock it was built with. A long poll waits on Tokio's timers,
/// so the clock should move with them: [`SystemClock`](polling_model::SystemClock), or
/// [`TokioClock`](crate::TokioClock) under paused time.
///
/// - A full queue takes no more: the outcome of the rest of a send is
///   [`EntryError::Unknown`], like anything that may pass, and the sender tries later.
/// - A message moves to the dead-letter queue when it would become visible once too often: as
///   with SQS, not before something is asked of the queue it came from. While the dead-letter
///   queue is full, it stays and is delivered again.
/// - SQS moves it at the next receive only, which then may bring fewer messages than there are;
///   until then it counts as visible, and a late acknowledgement still deletes it.
/// - It takes every text; SQS refuses an empty one, U+FFFE, U+FFFF and most control characters.
/// - It has no bound on messages in flight, where SQS has 120,000, and delivers nothing twice
///   within a visibility timeout and nothing that is deleted, which SQS may do.
/// - An acknowledgement counts until the message is received again, even past its visibility
///   timeout.
pub struct MemoryQueue {
    name: String,
    clock: SharedClock,
    visibility_timeout: Duration,
    redrive: Option<Redrive>,
    capacity: usize,
    max_receive_batch: usize,
    max_message_size_bytes: usize,
    store: Mutex<Store>,
    /// One permit per send or return; whoever is woken and leaves something wakes the next.
    arrivals: Notify,
}

/// A receiver that was told of an arrival and has not looked yet: dropped, it tells the next.
struct Told<'a>(&'a Notify);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// Where messages go that nobody acknowledges.
#[derive(Debug)]
struct Redrive {
    queue: Arc<MemoryQueue>,
    max_receives: u32,
}

impl Redrive {
    /// Moves a message to the dead-letter queue; gives it back when that is full.
    fn bury(&self, message: Stored) -> Result<(), Stored> {
        // A queue is built after its dead-letter queue, so locks are taken in one order.
        let mut dead_letters = self.queue.lock();
        if dead_letters.len() >= self.queue.capacity {
            return Err(message);
        }
        dead_letters.push(message.body, message.trace, message.sent_ms);
        self.queue.arrivals.notify_one();
        Ok(())
    }
}

/// A message as it lies in a [`MemoryQueue`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// As in [`Message::id`].
    pub id: String,
    /// The body.
    pub body: String,
    /// How often it was received from this queue.
    pub receive_count: u32,
    /// When it was first sent, UTC milliseconds.
    pub sent_ms: i64,
    /// When it becomes visible again, UTC milliseconds; `None` when it is visible.
    pub invisible_until_ms: Option<i64>,
}

impl MemoryQueue {
    /// A builder of a queue called `name` that lives by `clock`.
    pub fn builder(name: impl Into<String>, clock: SharedClock) -> MemoryQueueBuilder {
        MemoryQueueBuilder::new(name.into(), clock)
    }

    /// All messages, visible or not, in the order they were sent. It takes nothing.
    #[must_use]
    pub fn messages(&self) -> Vec<StoredMessage> {
        let store = self.settled();
        let snapshot = store.iter().map(|(stored, invisible_until_ms)| {
            let message = StoredMessage {
                id: stored.id.to_string(),
                body: stored.body.to_string(),
                receive_count: stored.receive_count,
                sent_ms: stored.sent_ms,
                invisible_until_ms,
            };
            (stored.id, message)
        });
        let in_order: BTreeMap<_, _> = snapshot.collect();
        in_order.into_values().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        // No code that can panic runs between two changes that belong together.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store as of now: whatever is past its visibility timeout is back in line, or dead.
    fn settled(&self) -> MutexGuard<'_, Store> {
        let mut store = self.lock();
        let now_ms = self.clock.now_ms();
        let mut returned = false;
        while let Some(message) = store.pop_expired(now_ms) {
            returned |= self.put_back(&mut store, message);
        }
        if returned {
            self.arrivals.notify_one();
        }
        store
    }

    /// Puts a message back in line, or moves it to the dead-letter queue. True when it is in line.
    fn put_back(&self, store: &mut Store, message: Stored) -> bool {
        let redrive = self.redrive.as_ref();
        let worn_out = redrive.filter(|redrive| message.receive_count >= redrive.max_receives);
        let kept = match worn_out {
            Some(redrive) => redrive.bury(message),
            None => Err(message),
        };
        let Err(message) = kept else {
            return false;
        };
        store.line_up(message);
        true
    }

    /// Takes up to `max` messages, without waiting.
    fn take(&self, max: usize) -> Vec<Message> {
        let mut store = self.settled();
        let until_ms = after(self.clock.now_ms(), self.visibility_timeout);
        let max = max.min(self.max_receive_batch).min(store.visible());
        let mut taken = Vec::with_capacity(max);
        while taken.len() < max
            && let Some(stored) = store.take(until_ms)
        {
            taken.push(stored);
        }
        let is_left = store.visible() > 0;
        drop(store);
        if !taken.is_empty() && is_left {
            self.arrivals.notify_one();
        }
        // Copied only now, when nobody waits for the queue.
        taken.iter().map(to_message).collect()
    }

    /// How long nothing can become visible without an arrival being notified. What is received
    /// while we wait comes back a whole visibility timeout later, hence that bound.
    fn quiet_for(&self) -> Duration {
        let next_ms = self.lock().next_visible_ms();
        next_ms.map_or(self.visibility_timeout, |next_ms| {
            let ahead_ms = next_ms.saturating_sub(self.clock.now_ms()).max(1);
            Duration::from_millis(ahead_ms as u64).min(self.visibility_timeout)
        })
    }

    /// Lets those run who are ready to send, too: the runtime wakes a receiver before all of them, and
    /// it would take one message at a time. Nobody waits where nobody is ready.
    async fn let_more_arrive(&self) {
        let told = Told(&self.arrivals);
        yield_now().await;
        // What it was told of it takes now, before anything can cancel it.
        mem::forget(told);
    }

    fn delete(&self, receipts: &[Receipt]) {
        let deliveries: Vec<Delivery> = receipts.iter().filter_map(from_receipt).collect();
        let mut store = self.lock();
        let deleted: Vec<_> = deliveries
            .into_iter()
            .filter_map(|delivery| store.delete(delivery))
            .collect();
        drop(store);
        // Freed only now, when nobody waits for the queue.
        drop(deleted);
    }

    fn push(
        &self,
        store: &mut Store,
        (body, trace): (Arc<str>, Option<TraceContext>),
        now_ms: i64,
    ) -> Result<(), EntryError> {
        let size_bytes = body.len();
        let limit_bytes = self.max_message_size_bytes;
        if size_bytes > limit_bytes {
            let reason = format!("message of {size_bytes} bytes, limit {limit_bytes}");
            return Err(EntryError::Refused { reason });
        }
        if store.len() >= self.capacity {
            let reason = format!("queue {} is full: {} messages", self.name, self.capacity);
            return Err(EntryError::Unknown { reason });
        }
        store.push(body, trace, now_ms);
        Ok(())
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    fn name(&self) -> &str {
        &self.name
    }

    fn visibility_timeout(&self) -> Duration {
        self.visibility_timeout
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Message>, QueueError> {
        // Everything here is ready at once as long as there are messages: let others run too.
        tokio::task::consume_budget().await;
        let deadline = Instant::now() + wait.min(MAX_WAIT);
        loop {
            // Listens before it looks, so that no arrival falls between.
            let mut arrival = std::pin::pin!(self.arrivals.notified());
            arrival.as_mut().enable();
            // Nothing is awaited after messages are taken, so a cancelled receive loses none.
            let taken = self.take(max);
            if !taken.is_empty() || max == 0 || Instant::now() >= deadline {
                return Ok(taken);
            }
            let until = deadline.min(Instant::now() + self.quiet_for());
            tokio::select! {
                biased;
                () = arrival => self.let_more_arrive().await,
                () = sleep_until(until) => {}
            }
        }
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        tokio::task::consume_budget().await;
        // Just as large as each is, before anybody waits for the queue.
        let messages: Vec<(Arc<str>, _)> = messages
            .into_iter()
            .map(|message| (message.body.into(), message.trace))
            .collect();
        let now_ms = self.clock.now_ms();
        let results: Vec<_> = {
            let mut store = self.lock();
            let pushed = messages
                .into_iter()
                .map(|message| self.push(&mut store, message, now_ms));
            pushed.collect()
        };
        if results.iter().any(Result::is_ok) {
            self.arrivals.notify_one();
        }
        results
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        tokio::task::consume_budget().await;
        self.delete(std::slice::from_ref(receipt));
        Ok(())
    }

    async fn ack_all(&self, receipts: &[Receipt]) -> Vec<Result<(), QueueError>> {
        tokio::task::consume_budget().await;
        self.delete(receipts);
        receipts.iter().map(|_| Ok(())).collect()
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        tokio::task::consume_budget().await;
        let mut store = self.settled();
        let until_ms = after(self.clock.now_ms(), visibility);
        let delivery = from_receipt(receipt);
        let extended = delivery.is_some_and(|delivery| store.move_lease(delivery, until_ms));
        drop(store);
        if !extended {
            return Err(QueueError {
                queue: self.name.clone(),
                operation: "extend",
                kind: QueueErrorKind::StaleReceipt,
                source: None,
            });
        }
        if visibility.is_zero() {
            drop(self.settled());
        } else if visibility < self.visibility_timeout {
            // Back sooner than those who wait reckon with: they look again.
            self.arrivals.notify_waiters();
        }
        Ok(())
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        let store = self.settled();
        let now_ms = self.clock.now_ms();
        Ok(QueueStats {
            visible: store.visible() as u64,
            in_flight: store.in_flight() as u64,
            oldest_age_ms: store.oldest_sent_ms().map(|sent_ms| now_ms - sent_ms),
        })
    }
}

/// The settings and how much is in it; bodies are not for logs.
impl fmt::Debug for MemoryQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryQueue")
            .field("name", &self.name)
            .field("visibility_timeout", &self.visibility_timeout)
            .field("messages", &self.lock().len())
            .finish_non_exhaustive()
    }
}

fn after(now_ms: i64, wait: Duration) -> i64 {
    now_ms.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}

fn to_message(stored: &Stored) -> Message {
    Message {
        id: stored.id.to_string(),
        body: stored.body.to_string(),
        receipt: to_receipt(stored.id, stored.receive_count),
        receive_count: stored.receive_count,
        sent_ms: stored.sent_ms,
        trace: stored.trace,
    }
}

fn to_receipt(id: u64, receive_count: u32) -> Receipt {
    Receipt(format!("{id}.{receive_count}"))
}

/// `None` for what no queue in memory has issued; such a receipt is as good as stale.
fn from_receipt(receipt: &Receipt) -> Option<Delivery> {
    let (id, receive_count) = receipt.0.split_once('.')?;
    Some(Delivery {
        id: id.parse().ok()?,
        receive_count: receive_count.parse().ok()?,
    })
}
