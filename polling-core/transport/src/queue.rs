//! The port for jobs and completions: a queue with visibility timeouts, as SQS has them.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::join_all;
use polling_model::TraceContext;

/// A queue that delivers each message at least once.
///
/// A received message is invisible for the queue's visibility timeout, then delivered again unless
/// it was acknowledged. After a number of receives it moves to the dead-letter queue. Order is not
/// promised, and neither is that a message is delivered only once.
///
/// Every call has a deadline of the adapter's. Every error is an unknown outcome: the call may or
/// may not have had its effect.
#[async_trait]
pub trait Queue: Send + Sync + fmt::Debug {
    /// The queue's name, for logs and errors.
    fn name(&self) -> &str;

    /// How long a received message stays invisible unless extended.
    fn visibility_timeout(&self) -> Duration;

    /// Receives up to `max` messages, waiting up to `wait` for the first. An adapter may return
    /// fewer than there are: SQS gives ten at most in one call.
    ///
    /// Dropping the future loses no message for good: what it took from the queue and did not
    /// return comes back after the visibility timeout, or at once.
    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Message>, QueueError>;

    /// Sends messages, packed into as few calls as the queue's limits allow. The answer has an
    /// entry per message, in their order.
    ///
    /// The trace of a message is received with it, wherever it goes, unless there is no room for
    /// it: a message is never refused for its trace.
    async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>>;

    /// Sends bodies without a trace.
    async fn send(&self, bodies: Vec<String>) -> Vec<Result<(), EntryError>> {
        self.send_all(bodies.into_iter().map(Outgoing::from).collect())
            .await
    }

    /// Deletes a message for good. A receipt that is no longer valid is no error: the message has
    /// been received again, and whoever holds it decides.
    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError>;

    /// Deletes messages for good. The answer has an entry per receipt, in their order.
    async fn ack_all(&self, receipts: &[Receipt]) -> Vec<Result<(), QueueError>> {
        join_all(receipts.iter().map(|receipt| self.ack(receipt))).await
    }

    /// Keeps a message invisible for `visibility` from now.
    ///
    /// # Errors
    ///
    /// [`QueueErrorKind::StaleReceipt`] when the message is no longer ours, where the queue tells.
    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError>;

    /// Gives a message back, visible at once to any receiver.
    async fn release(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.extend(receipt, Duration::ZERO).await
    }

    /// How much is in the queue; on SQS approximately.
    async fn stats(&self) -> Result<QueueStats, QueueError>;
}

/// A queue that many tasks share.
pub type SharedQueue = Arc<dyn Queue>;

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The body.
    pub body: String,
    /// The trace that its sending is a part of.
    pub trace: Option<TraceContext>,
}

impl From<String> for Outgoing {
    fn from(body: String) -> Self {
        Self { body, trace: None }
    }
}

impl Outgoing {
    /// The same, as a part of a trace.
    #[must_use]
    pub fn with_trace(self, trace: Option<TraceContext>) -> Self {
        Self { trace, ..self }
    }
}

/// A message as received.
#[derive(Debug, Clone)]
pub struct Message {
    /// The queue's own id of the message, for logs.
    pub id: String,
    /// The body.
    pub body: String,
    /// To acknowledge, extend or release this delivery.
    pub receipt: Receipt,
    /// How often it has been received, this time included; from 1.
    pub receive_count: u32,
    /// When it was sent, UTC milliseconds by the queue's clock.
    pub sent_ms: i64,
    /// The trace that it was sent with. Anybody can have written it.
    pub trace: Option<TraceContext>,
}

/// The handle of one delivery of one message.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Receipt(pub String);

/// Receipts are long and say nothing.
impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

/// Where a queue sends what is received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The other queue's name.
    pub queue: String,
    /// How often a message is received before it goes there.
    pub max_receives: u32,
}

/// How much is in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueStats {
    /// Messages that can be received.
    pub visible: u64,
    /// Messages received and neither acknowledged nor visible again.
    pub in_flight: u64,
    /// Age of the oldest visible message, milliseconds, where the queue tells: SQS does so only
    /// through its metrics service.
    pub oldest_age_ms: Option<i64>,
}

/// Why one message of a batch was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The queue will never take this message: sending it again is of no use.
    #[error("refused for good: {reason}")]
    Refused {
        /// The queue's own words.
        reason: String,
    },
    /// It may or may not have been sent.
    #[error("outcome unknown: {reason}")]
    Unknown {
        /// What was seen.
        reason: String,
    },
}

impl EntryError {
    /// The name of its kind, for metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// A call to a queue that failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} on queue {queue} failed: {kind}")]
pub struct QueueError {
    /// The queue's name.
    pub queue: String,
    /// What was tried.
    pub operation: &'static str,
    /// What kind of failure.
    pub kind: QueueErrorKind,
    /// The client's own error.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Kinds of failure of a call to a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueErrorKind {
    /// No answer within the deadline.
    Timeout,
    /// The server cannot be reached, or broke off.
    Unreachable,
    /// The server answered with an error that may pass.
    Unavailable,
    /// The queue does not exist.
    NoSuchQueue,
    /// Credentials or permissions are missing.
    Denied,
    /// The receipt is no longer valid.
    StaleReceipt,
    /// The queue exists, with other settings than asked for.
    Conflict,
    /// Anything else.
    Other,
}

impl QueueErrorKind {
    /// Its name, for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Unavailable => "unavailable",
            Self::NoSuchQueue => "no_such_queue",
            Self::Denied => "denied",
            Self::StaleReceipt => "stale_receipt",
            Self::Conflict => "conflict",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for QueueErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "no answer within the deadline",
            Self::Unreachable => "the server cannot be reached",
            Self::Unavailable => "the server is unavailable for now",
            Self::NoSuchQueue => "the queue does not exist; create it first",
            Self::Denied => "credentials or permissions are missing",
            Self::StaleReceipt => "the receipt is no longer valid",
            Self::Conflict => "the queue exists with other settings; change them, or the name",
            Self::Other => "unexpected answer",
        })
    }
}
