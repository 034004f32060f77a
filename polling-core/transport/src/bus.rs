//! The port for what polls found: an event bus with delivery reports, as Kafka is one.
//!
//! Publishing has two steps. The first ends when the bus has taken the events, which is when the
//! next batch may follow; the second when it is known what became of each:
//!
//! ```
//! # use polling_model::EventEnvelope;
//! use polling_transport::{BusError, EventBus};
//!
//! async fn publish(bus: &dyn EventBus, events: Vec<EventEnvelope>) -> Result<(), BusError> {
//!     let deliveries = bus.publish(events).await; // backpressure is felt here
//!     deliveries.await.into_iter().collect()
//! }
//! # let bus = polling_transport::memory::MemoryBus::new();
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?
//! #     .block_on(publish(&bus, Vec::new()))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use polling_model::{EventEnvelope, Topic};

/// Where events go. Each is delivered at least once; events with the same topic and key keep the
/// order in which they were published.
#[async_trait]
pub trait EventBus: Send + Sync + fmt::Debug {
    /// Hands a batch to the bus, in its order. Resolves as soon as the bus has taken all of it:
    /// while its buffer is full this waits, that is the backpressure. What it resolves to then
    /// tells for each event whether it was delivered; events are delivered whether or not anybody
    /// awaits that.
    ///
    /// Neither waits for ever. When the bus makes no room for as long as the adapter's deadline,
    /// what is left of the batch is reported as failed, and so is an event whose delivery takes
    /// longer than that. An event that fails leaves a gap: the others are delivered all the same.
    ///
    /// Dropping either future cancels nothing that the bus has already taken. Two calls at the
    /// same time may interleave their events.
    async fn publish(&self, batch: Vec<EventEnvelope>) -> Deliveries;

    /// Waits until all that was taken is delivered or has failed.
    ///
    /// # Errors
    ///
    /// [`BusErrorKind::Timeout`], with one of the topics that still wait, when that takes longer
    /// than `deadline`.
    async fn flush(&self, deadline: Duration) -> Result<(), BusError>;

    /// Whether `topic` can be published to, for readiness.
    ///
    /// # Errors
    ///
    /// [`BusError`] that names the topic and says what is missing.
    async fn check_topic(&self, topic: &Topic) -> Result<(), BusError>;
}

/// A bus that many tasks share.
pub type SharedBus = Arc<dyn EventBus>;

/// The delivery report of each event of a batch, in its order.
pub type Deliveries = BoxFuture<'static, Vec<Result<(), BusError>>>;

/// An event that was not delivered, or whose delivery is unknown.
#[derive(Debug, Clone, thiserror::Error)]
#[error("publishing to topic {topic} failed: {kind}")]
pub struct BusError {
    /// The topic.
    pub topic: Topic,
    /// What kind of failure.
    pub kind: BusErrorKind,
    /// The client's own error.
    #[source]
    pub source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl BusError {
    /// A failure that has no further cause.
    #[must_use]
    pub fn new(topic: Topic, kind: BusErrorKind) -> Self {
        Self {
            topic,
            kind,
            source: None,
        }
    }

    /// The same with the client's own error.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}

/// Kinds of failure of publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BusErrorKind {
    /// No delivery report within the deadline: the event may or may not be delivered.
    Timeout,
    /// The event is larger than the bus takes: publishing it again is of no use.
    TooLarge,
    /// The topic does not exist.
    NoSuchTopic,
    /// Permissions are missing.
    Denied,
    /// The bus cannot be reached.
    Unreachable,
    /// Anything else.
    Other,
}

impl BusErrorKind {
    /// Whether publishing the same event again can never succeed.
    #[must_use]
    pub const fn is_permanent(self) -> bool {
        matches!(self, Self::TooLarge)
    }
}

impl BusErrorKind {
    /// Its name, for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::NoSuchTopic => "no_such_topic",
            Self::Denied => "denied",
            Self::Unreachable => "unreachable",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for BusErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "no delivery report within the deadline",
            Self::TooLarge => "the event is larger than the bus takes",
            Self::NoSuchTopic => "the topic does not exist; create it first",
            Self::Denied => "permissions are missing",
            Self::Unreachable => "the bus cannot be reached",
            Self::Other => "unexpected answer",
        })
    }
}
