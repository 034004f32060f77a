//! [`RedisQueue`]: the port over a stream.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::FutureExt;
use polling_model::{caps::MAX_MESSAGE_SIZE_BYTES, trace::Traceparent};
use tokio::time::Instant;

use super::{
    answer::{Read, Received},
    calls::{Target, stale},
    client::Client,
    create::Settings,
    receipt::Delivery,
    scripts,
    wake::Wakes,
};
use crate::{
    batcher::{BatchLimits, Batcher, NoAnswer, send_all},
    fault::Fault,
    queue::{
        DeadLetter, EntryError, Message, Outgoing, Queue, QueueError, QueueErrorKind, QueueStats,
        Receipt,
    },
};

/// Messages of one call. The server does nothing else meanwhile: some 4 µs each.
pub const MAX_BATCH_ENTRIES: usize = 256;

/// Bytes of one send, unless one message has more.
pub const MAX_BATCH_SIZE_BYTES: usize = 1024 * 1024;

/// So many entries are worth a call of their own, and wait for no others.
const ENOUGH_ENTRIES: usize = 64;

/// How long a send, an acknowledgement or an extension waits at most for others to share its call,
/// while another is under way. With none under way it goes at once; so do 64 together.
pub const LINGER: Duration = Duration::from_millis(1);

/// Calls of one kind that are under way at once.
pub const MAX_CONCURRENT_CALLS: usize = 4;

/// Entries of one kind that wait for a call; who adds another waits.
pub const MAX_WAITING_ENTRIES: usize = 4_096;

/// The longest that one receive waits.
pub const MAX_WAIT: Duration = Duration::from_secs(86_400);

/// The longest that a message stays invisible.
pub const MAX_VISIBILITY: Duration = Duration::from_secs(12 * 3600);

/// Whoever waits looks again after so long, even if nothing seems to have happened.
pub const MAX_QUIET: Duration = Duration::from_secs(1);

/// How often a queue that is received from looks for consumers that are gone.
pub const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Messages that a sweep looks at, in hundreds.
const SWEEP_HUNDREDS: usize = 10;

/// Messages that came back of which statistics look for the oldest.
const OLDEST_OF: usize = 100;

/// A queue on Redis Streams.
///
/// Sends, acknowledgements and extensions of many tasks share calls of up to
/// [`MAX_BATCH_ENTRIES`]; a receive brings as many at most. What came back is brought by the second
/// receive that finds it at the latest. Each call is one script, or a transaction, so it happens as
/// a whole or not at all. Times are the server's, in milliseconds.
///
/// - A message comes back up to 1/64 of the visibility timeout late, never early.
/// - It moves to the dead-letter queue when it is released once too often, or at the next receive
///   after its visibility timeout; until then it counts as visible. While the dead-letter queue is
///   full, or gone, it stays and is delivered again.
/// - An acknowledgement counts until the message is received again, even past its visibility
///   timeout. Extending what is visible again is refused as stale.
/// - A queue that holds as many messages as its capacity takes no more: the outcome of the rest of
///   a send is [`EntryError::Unknown`], like anything that may pass.
///
/// Dropping the queue cancels nothing that was asked of it.
pub struct RedisQueue {
    name: String,
    settings: Settings,
    target: Target,
    sends: Batcher<Outgoing, EntryError>,
    acks: Batcher<Delivery, Fault>,
    extensions: Batcher<(Delivery, u64), Fault>,
    wakes: Wakes,
    /// Whether some are known to have come back: then the next receive brings those first.
    come_back: AtomicBool,
    swept: Mutex<Option<Instant>>,
}

impl RedisQueue {
    /// Finds the queue called `name` and reads its settings. Call it within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// - [`QueueErrorKind::NoSuchQueue`] when it does not exist (see
    ///   [`create_queue`](super::create_queue)).
    /// - [`QueueErrorKind::Other`] when the server may evict keys: the source names its policy.
    /// - Whatever else keeps the server from answering. The source says what was asked, and at
    ///   which address.
    pub async fn connect(client: &Client, name: &str) -> Result<Self, QueueError> {
        let connected = Self::open(client, name).await;
        connected.map_err(|fault| fault.into_error(name, "connect"))
    }

    async fn open(client: &Client, name: &str) -> Result<Self, Fault> {
        let key = client.key_of(name)?;
        let target = Target {
            client: client.clone(),
            messages: format!("{key}:messages").into(),
            key: key.into(),
            consumer: client.new_consumer().into(),
        };
        let command = target.call(&scripts::CONNECT);
        let settings = Settings::read(target.run(&scripts::CONNECT, &command).await?)?;
        let wakes = Wakes::start(
            client.another_link()?,
            format!("{}:wake", target.key),
            MAX_QUIET,
        );
        let limits = BatchLimits {
            entries: MAX_BATCH_ENTRIES,
            enough: ENOUGH_ENTRIES,
            size_bytes: MAX_BATCH_SIZE_BYTES,
            linger: LINGER,
            eager: true,
            concurrent: MAX_CONCURRENT_CALLS,
            waiting: MAX_WAITING_ENTRIES,
        };
        let (sends, acks, extensions) = (target.clone(), target.clone(), target.clone());
        Ok(Self {
            name: name.to_owned(),
            settings,
            target,
            sends: Batcher::start(limits, Arc::new(move |b| sends.clone().send(b).boxed())),
            acks: Batcher::start(limits, Arc::new(move |b| acks.clone().delete(b).boxed())),
            extensions: Batcher::start(
                limits,
                Arc::new(move |b| extensions.clone().extend(b).boxed()),
            ),
            wakes,
            come_back: AtomicBool::new(false),
            swept: Mutex::new(None),
        })
    }

    /// Where messages go that nobody acknowledges.
    #[must_use]
    pub fn dead_letter(&self) -> Option<DeadLetter> {
        self.settings.dead_letter()
    }

    fn error(&self, operation: &'static str, fault: Fault) -> QueueError {
        fault.into_error(&self.name, operation)
    }

    fn acked(&self, answer: Result<Result<(), Fault>, NoAnswer>) -> Result<(), QueueError> {
        let acked = answer.unwrap_or_else(|gone| Err(no_answer(gone)));
        acked.map_err(|fault| self.error("ack", fault))
    }

    /// What has come back, if that is known, and new messages.
    async fn take(&self, max: usize) -> Result<Received, Fault> {
        if !self.come_back.swap(false, Ordering::Relaxed) {
            match self.target.read(max).await {
                Ok(read) if read.messages.is_empty() && read.come_back => {}
                Ok(Read {
                    messages,
                    next,
                    come_back,
                }) => {
                    self.come_back.fetch_or(come_back, Ordering::Relaxed);
                    if messages.len() == max {
                        // Not awaited: what was taken is to be returned.
                        tokio::spawn(self.target.clone().wake());
                    }
                    return Ok(Received { messages, next });
                }
                // A server that is full begins no transaction, but a script that makes room.
                Err(fault) if fault.kind == QueueErrorKind::Unavailable => {}
                Err(fault) => return Err(fault),
            }
        }
        let received = self.target.receive(max).await?;
        let maybe_more = received.messages.len() == max;
        self.come_back.fetch_or(maybe_more, Ordering::Relaxed);
        Ok(received)
    }

    /// Removes consumers that are gone, now and then. What was not done is done the next time.
    async fn sweep_in_turn(&self) {
        let now = Instant::now();
        {
            // Nothing panics while it is held.
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            if swept.is_some_and(|at| now < at + SWEEP_EVERY) {
                return;
            }
            *swept = Some(now);
        }
        let mut command = self.target.call(&scripts::SWEEP);
        command
            .arg(&*self.target.consumer)
            .arg(self.target.client.consumer_idle().as_millis() as u64)
            .arg(SWEEP_HUNDREDS);
        let swept = self.target.run::<(u64, u64)>(&scripts::SWEEP, &command);
        match swept.await {
            Ok((_, 0)) => {}
            Ok((_, found)) => {
                tracing::warn!(
                    queue = self.name,
                    found,
                    "messages had been received by hand"
                );
            }
            Err(fault) => tracing::debug!(queue = self.name, error = %fault.source, "no sweep"),
        }
    }
}

#[async_trait]
impl Queue for RedisQueue {
    fn name(&self) -> &str {
        &self.name
    }

    fn visibility_timeout(&self) -> Duration {
        self.settings.visibility_timeout()
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Message>, QueueError> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let deadline = Instant::now() + wait.min(MAX_WAIT);
        self.sweep_in_turn().await;
        loop {
            let received = self.take(max.min(MAX_BATCH_ENTRIES)).await;
            let received = received.map_err(|fault| self.error("receive", fault))?;
            let now = Instant::now();
            if !received.messages.is_empty() || now >= deadline {
                return Ok(received.messages);
            }
            // Nothing is awaited between taking messages and returning them.
            let quiet = received.next.map_or(MAX_QUIET, |next| next.min(MAX_QUIET));
            let quiet = quiet.max(Duration::from_millis(1));
            self.wakes.wait(deadline.min(now + quiet)).await;
        }
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        let unknown = |gone: NoAnswer| no_answer(gone).into_unknown_entry();
        let limit_bytes = MAX_MESSAGE_SIZE_BYTES;
        send_all(
            &self.sends,
            messages,
            limit_bytes,
            Traceparent::LEN,
            unknown,
        )
        .await
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let Some(delivery) = Delivery::of(receipt) else {
            return Ok(());
        };
        self.acked(self.acks.submit(delivery, 0).await.get().await)
    }

    async fn ack_all(&self, receipts: &[Receipt]) -> Vec<Result<(), QueueError>> {
        let deliveries: Vec<_> = receipts.iter().map(Delivery::of).collect();
        let ours = deliveries.iter().flatten().map(|one| (one.clone(), 0));
        let mut answers = self.acks.submit_all(ours.collect()).await.into_iter();
        let mut acked = Vec::with_capacity(receipts.len());
        for delivery in deliveries {
            let answer = delivery.and_then(|_| answers.next());
            acked.push(match answer {
                Some(answer) => self.acked(answer.get().await),
                None => Ok(()),
            });
        }
        acked
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        let Some(delivery) = Delivery::of(receipt) else {
            return Err(self.error("extend", stale()));
        };
        let for_ms = visibility.min(MAX_VISIBILITY).as_millis() as u64;
        let answer = self
            .extensions
            .submit((delivery, for_ms), 0)
            .await
            .get()
            .await;
        let extended = answer.unwrap_or_else(|gone| Err(no_answer(gone)));
        if for_ms == 0 {
            self.come_back.store(true, Ordering::Relaxed);
        }
        extended.map_err(|fault| self.error("extend", fault))
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        let mut command = self.target.call(&scripts::STATS);
        command.arg(OLDEST_OF);
        let counted = self
            .target
            .run::<(u64, u64, i64)>(&scripts::STATS, &command);
        let (visible, in_flight, oldest_ms) =
            counted.await.map_err(|fault| self.error("stats", fault))?;
        Ok(QueueStats {
            visible,
            in_flight,
            oldest_age_ms: (oldest_ms >= 0).then_some(oldest_ms),
        })
    }
}

impl fmt::Debug for RedisQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisQueue")
            .field("name", &self.name)
            .field("client", &self.target.client)
            .field("consumer", &self.target.consumer)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

fn no_answer(gone: NoAnswer) -> Fault {
    Fault::new(QueueErrorKind::Other, gone)
}
