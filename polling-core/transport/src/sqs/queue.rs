//! [`SqsQueue`]: the port over the service.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{MessageSystemAttributeName, QueueAttributeName},
};
use futures_util::{FutureExt, future::join_all};
use polling_model::{SharedObserver, caps::MAX_MESSAGE_SIZE_BYTES, trace::HEADER};

use super::{
    attributes::{self, Attributes},
    calls::Target,
    client::timeouts,
    trace,
};
use crate::{
    batcher::{BatchLimits, Batcher, NoAnswer, send_all},
    fault::Fault,
    queue::{
        EntryError, Message, Outgoing, Queue, QueueError, QueueErrorKind, QueueStats, Receipt,
    },
};

/// Messages of one call: the service's limit.
pub const MAX_BATCH_ENTRIES: usize = 10;

/// Bytes of one send: the service's limit, 1 MiB. A server with a lower one refuses what is above
/// it, and then gets it in halves.
pub const MAX_BATCH_SIZE_BYTES: usize = 1024 * 1024;

/// The longest that one receive waits: the service's limit.
pub const MAX_WAIT: Duration = Duration::from_secs(20);

/// The longest that a message stays invisible: the service's limit.
pub const MAX_VISIBILITY: Duration = Duration::from_secs(12 * 3600);

/// How long a send, an acknowledgement or an extension waits at most for others to share its call.
/// One that comes so long after the call before it does not wait, nor does one that follows a
/// single one, answered already, nor a full call.
pub const LINGER: Duration = Duration::from_millis(20);

/// Calls of one kind that are under way at once.
pub const MAX_CONCURRENT_CALLS: usize = 16;

/// Entries of one kind that wait for a call; who adds another waits.
pub const MAX_WAITING_ENTRIES: usize = 1_000;

/// A queue on Amazon SQS, or on a server that speaks its protocol.
///
/// Sends, acknowledgements and extensions of many tasks share calls of up to
/// [`MAX_BATCH_ENTRIES`]. Times are whole seconds on SQS: a wait or a visibility is rounded up.
/// Dropping the queue cancels nothing that was asked of it.
pub struct SqsQueue {
    target: Target,
    visibility_timeout: Duration,
    /// Full batches of the last receive.
    full: AtomicUsize,
    sends: Batcher<Outgoing, EntryError>,
    acks: Batcher<String, Fault>,
    extensions: Batcher<(String, i32), Fault>,
}

impl SqsQueue {
    /// Finds the queue called `name` and reads its settings. Call it within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`QueueErrorKind::NoSuchQueue`] when it does not exist (see
    /// [`create_queue`](super::create_queue)), and whatever else keeps the server from answering.
    /// The source says what was asked, and at which address.
    pub async fn connect(client: &Client, name: &str) -> Result<Self, QueueError> {
        Self::connect_observed(client, name, Arc::new(())).await
    }

    /// The same, and tells `observer` each request, as [`Observation::Requested`](polling_model::Observation::Requested): how many a job
    /// takes is what the bill follows. Those by which the client repeats a failed one are not told.
    ///
    /// # Errors
    ///
    /// As those of [`connect`](Self::connect).
    pub async fn connect_observed(
        client: &Client,
        name: &str,
        observer: SharedObserver,
    ) -> Result<Self, QueueError> {
        let failed = |fault: Fault| fault.into_error(name, "connect");
        let url = attributes::url_of(client, name).await.map_err(failed)?;
        let attributes = attributes::read(client, &url).await.map_err(failed)?;
        let visibility_timeout = visibility_timeout_of(&attributes).map_err(failed)?;
        let target = Target {
            name: name.to_owned(),
            client: client.clone(),
            url,
            observer,
        };
        Ok(Self::start(target, visibility_timeout))
    }

    fn start(target: Target, visibility_timeout: Duration) -> Self {
        let limits = BatchLimits {
            entries: MAX_BATCH_ENTRIES,
            enough: MAX_BATCH_ENTRIES,
            size_bytes: MAX_BATCH_SIZE_BYTES,
            linger: LINGER,
            eager: false,
            concurrent: MAX_CONCURRENT_CALLS,
            waiting: MAX_WAITING_ENTRIES,
        };
        let (sends, acks, extensions) = (target.clone(), target.clone(), target.clone());
        Self {
            target,
            visibility_timeout,
            full: AtomicUsize::new(0),
            sends: Batcher::start(limits, Arc::new(move |b| sends.clone().send(b).boxed())),
            acks: Batcher::start(limits, Arc::new(move |b| acks.clone().delete(b).boxed())),
            extensions: Batcher::start(
                limits,
                Arc::new(move |b| extensions.clone().extend(b).boxed()),
            ),
        }
    }

    fn error(&self, operation: &'static str, fault: Fault) -> QueueError {
        fault.into_error(&self.target.name, operation)
    }

    fn acked(&self, answer: Result<Result<(), Fault>, NoAnswer>) -> Result<(), QueueError> {
        match answer.unwrap_or_else(|gone| Err(no_answer(gone))) {
            // SQS says that it was done, others that they do not know the receipt.
            Err(fault) if fault.kind == QueueErrorKind::StaleReceipt => Ok(()),
            other => other.map_err(|fault| self.error("ack", fault)),
        }
    }

    /// One call for at most [`MAX_BATCH_ENTRIES`].
    async fn receive_once(&self, max: usize, wait: Duration) -> Result<Vec<Message>, QueueError> {
        let wait_s = whole_seconds(wait.min(MAX_WAIT));
        let call = self
            .target
            .client
            .receive_message()
            .queue_url(&self.target.url)
            .max_number_of_messages(max.min(MAX_BATCH_ENTRIES) as i32)
            .wait_time_seconds(wait_s)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_attribute_names(HEADER);
        let received = if wait_s == 0 {
            call.send().await
        } else {
            // The server holds the call for as long, so its deadline moves with the wait.
            let deadlines = timeouts(Duration::from_secs(wait_s as u64));
            let settings = aws_sdk_sqs::config::Builder::default().timeout_config(deadlines);
            call.customize().config_override(settings).send().await
        };
        let count = received
            .as_ref()
            .map_or(0, |answer| answer.messages().len());
        self.target.requested("receive", count);
        let received = received.map_err(|error| self.error("receive", Fault::of_call(error)))?;
        let messages = received.messages.unwrap_or_default();
        Ok(messages.into_iter().map(to_message).collect())
    }

    /// What is there beyond a first, full batch, by as many calls at once as were full before, and
    /// twice as many each time that all are: an empty one is paid for as well. Errors end it: what
    /// was received is not lost.
    async fn receive_more(&self, messages: &mut Vec<Message>, max: usize) {
        let (mut full, mut at_once) = (1, self.full.load(Relaxed).max(1));
        while messages.len() < max {
            let room = max - messages.len();
            let most = room.div_ceil(MAX_BATCH_ENTRIES).min(MAX_CONCURRENT_CALLS);
            let calls = (0..most.min(at_once))
                .map(|n| self.receive_once(room - n * MAX_BATCH_ENTRIES, Duration::ZERO));
            let mut all_full = true;
            for batch in join_all(calls).await {
                let batch = batch.unwrap_or_else(|error| {
                    tracing::warn!(%error, "a further receive failed");
                    Vec::new()
                });
                let is_full = batch.len() == MAX_BATCH_ENTRIES;
                full += usize::from(is_full);
                all_full &= is_full;
                messages.extend(batch);
            }
            if !all_full {
                break;
            }
            at_once *= 2;
        }
        self.full.store(full, Relaxed);
    }
}

#[async_trait]
impl Queue for SqsQueue {
    fn name(&self) -> &str {
        &self.target.name
    }

    fn visibility_timeout(&self) -> Duration {
        self.visibility_timeout
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Message>, QueueError> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let mut messages = self.receive_once(max, wait).await?;
        if messages.len() == MAX_BATCH_ENTRIES {
            self.receive_more(&mut messages, max).await;
        } else {
            self.full.store(0, Relaxed);
        }
        Ok(messages)
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        // Sent all the same, one that is too large would have the whole of its batch refused.
        let unknown = |gone: NoAnswer| no_answer(gone).into_unknown_entry();
        let limit_bytes = MAX_MESSAGE_SIZE_BYTES;
        send_all(
            &self.sends,
            messages,
            limit_bytes,
            trace::SIZE_BYTES,
            unknown,
        )
        .await
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.acked(self.acks.submit(receipt.0.clone(), 0).await.get().await)
    }

    async fn ack_all(&self, receipts: &[Receipt]) -> Vec<Result<(), QueueError>> {
        let items = receipts.iter().map(|receipt| (receipt.0.clone(), 0));
        let answers = self.acks.submit_all(items.collect()).await;
        let mut acked = Vec::with_capacity(answers.len());
        for answer in answers {
            acked.push(self.acked(answer.get().await));
        }
        acked
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        let timeout_s = whole_seconds(visibility.min(MAX_VISIBILITY));
        let answer = self
            .extensions
            .submit((receipt.0.clone(), timeout_s), 0)
            .await
            .get()
            .await;
        let extended = answer.unwrap_or_else(|gone| Err(no_answer(gone)));
        extended.map_err(|fault| self.error("extend", fault))
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        self.target.requested("stats", 0);
        let read = attributes::read(&self.target.client, &self.target.url).await;
        let attributes = read.map_err(|fault| self.error("stats", fault))?;
        let count = |name: &QueueAttributeName| {
            let counted = attributes::number(&attributes, name);
            counted.map_err(|fault| self.error("stats", fault))
        };
        Ok(QueueStats {
            visible: count(&QueueAttributeName::ApproximateNumberOfMessages)?,
            in_flight: count(&QueueAttributeName::ApproximateNumberOfMessagesNotVisible)?,
            oldest_age_ms: None,
        })
    }
}

impl fmt::Debug for SqsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqsQueue")
            .field("name", &self.target.name)
            .field("url", &self.target.url)
            .field("visibility_timeout", &self.visibility_timeout)
            .finish_non_exhaustive()
    }
}

fn visibility_timeout_of(attributes: &Attributes) -> Result<Duration, Fault> {
    let timeout_s = attributes::number(attributes, &QueueAttributeName::VisibilityTimeout)?;
    Ok(Duration::from_secs(timeout_s))
}

pub(super) fn to_message(message: aws_sdk_sqs::types::Message) -> Message {
    let attribute = |name| message.attributes.as_ref().and_then(|all| all.get(&name));
    let receive_count = attribute(MessageSystemAttributeName::ApproximateReceiveCount);
    let sent_ms = attribute(MessageSystemAttributeName::SentTimestamp);
    Message {
        receive_count: receive_count
            .and_then(|count| count.parse().ok())
            .unwrap_or(1)
            .max(1),
        sent_ms: sent_ms.and_then(|sent| sent.parse().ok()).unwrap_or(0),
        trace: trace::of(&message),
        id: message.message_id.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
        receipt: Receipt(message.receipt_handle.unwrap_or_default()),
    }
}

/// Rounded up. All that come here are bounded by hours.
fn whole_seconds(duration: Duration) -> i32 {
    duration.as_millis().div_ceil(1_000) as i32
}

fn no_answer(gone: NoAnswer) -> Fault {
    Fault::new(QueueErrorKind::Other, gone)
}
