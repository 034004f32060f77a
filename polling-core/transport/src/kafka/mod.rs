//! The event bus on Apache Kafka.
//!
//! ```no_run
//! use polling_transport::{EventBus, kafka::KafkaBus};
//!
//! # async fn publish(events: Vec<polling_model::EventEnvelope>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let bus = KafkaBus::builder("kafka-1:9092,kafka-2:9092")
//!     .set("compression.type", "lz4")
//!     .build()?;
//! bus.check_topic(&"posts".parse()?).await?;
//!
//! let deliveries = bus.publish(events).await; // waits while the producer's queue is full
//! for delivered in deliveries.await {
//!     delivered?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The producer is idempotent and waits for all in-sync replicas. Every other setting of
//! [librdkafka] can be given with [`set`](KafkaBusBuilder::set).
//!
//! [librdkafka]: https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
//!
//! | setting | default here | meaning |
//! |---|---|---|
//! | `queue.buffering.max.messages` | 100,000 | events taken and not yet reported; beyond, publishing waits |
//! | `queue.buffering.max.kbytes` | 262,144 | the same in KiB |
//! | `message.max.bytes` | 1,048,588 | largest event with its framing; raise the broker's limit too |
//! | `linger.ms` | 5 | wait for more events to send together |
//! | `compression.type` | `lz4` | |
//! | `partitioner` | `murmur2_random` | the same partition for a key as with Java's producers |
//! | `topic.metadata.refresh.interval.ms` | 30,000 | how long a topic stays refused after permission was granted, unless [`check_topic`](crate::EventBus::check_topic) asks before |
//! | `allow.auto.create.topics` | `true` | whether a broker that creates missing topics may do so, which [`check_topic`](crate::EventBus::check_topic) then causes |
//!
//! TLS and SASL need feature `kafka-tls`.

mod builder;
mod context;
mod error;
mod in_flight;
mod producer;
mod report;
mod settings;
mod topics;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::FutureExt;
use polling_model::{EventEnvelope, Topic};
use rdkafka::{
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::BaseRecord,
    types::RDKafkaErrorCode,
};
use tokio::time::Instant;

pub use self::{
    builder::{DEFAULT_KAFKA_DEADLINE, KafkaBusBuilder},
    error::KafkaConfigError,
    topics::create_topic,
};
use self::{
    in_flight::{InFlight, Patience},
    producer::Producers,
    report::{Batch, Report},
};
use crate::bus::{BusError, BusErrorKind, Deliveries, EventBus};

/// What librdkafka may need beyond the deadline to report: it looks at deadlines once a second.
const REPORT_GRACE: Duration = Duration::from_secs(5);

/// An event bus on Kafka. Clones share one producer.
///
/// - **Order.** Events with the same topic and key stay in their order, through retries and
///   restarts of brokers. One that fails leaves a gap.
/// - **Backpressure.** While the producer's queue is full, publishing waits, without loss, error or
///   spinning, as long as Kafka delivers anything at all. When nothing is delivered for the
///   deadline, the events that were not taken are reported as such.
/// - **Fatal errors.** When an idempotent producer is broken for good, what it had taken is
///   reported as failed, and another takes its place at the next call.
/// - **Dropping** the last clone cancels nothing and blocks nobody: a thread of its own goes on
///   until the last report, then closes the connections. A process about to end calls
///   [`flush`](EventBus::flush) first, for the thread ends with the process.
#[derive(Clone)]
pub struct KafkaBus {
    inner: Arc<Inner>,
}

struct Inner {
    brokers: String,
    deadline: Duration,
    in_flight: Arc<InFlight>,
    producers: Producers,
}

impl KafkaBus {
    /// A bus on the cluster that these brokers know: `host:port`, several separated by commas.
    pub fn builder(brokers: impl Into<String>) -> KafkaBusBuilder {
        KafkaBusBuilder::new(brokers.into())
    }

    /// Hands one event to librdkafka, in whose keeping the report settles itself.
    async fn enqueue(&self, event: &EventEnvelope, report: Report, patience: &mut Patience) {
        let mut record = record_of(event, report);
        let mut served = self.inner.producers.current();
        loop {
            let Err((error, refused)) = served.client.send(record) else {
                return;
            };
            let retry = match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => patience.for_bytes().await.is_some(),
                Some(RDKafkaErrorCode::Fatal) => match self.inner.producers.replace(&served) {
                    Some(fresh) => {
                        served = fresh;
                        true
                    }
                    None => false,
                },
                _ => false,
            };
            if !retry {
                let failed = self.explain(event.topic.clone(), error, &served);
                return refused.delivery_opaque.settle(Err(failed));
            }
            record = refused;
        }
    }

    fn explain(&self, topic: Topic, error: KafkaError, served: &producer::Served) -> BusError {
        let trouble = self.inner.producers.connections.trouble();
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::QueueFull) => error::stuck(topic, trouble),
            Some(RDKafkaErrorCode::Fatal) => error::broken(topic, producer::fatal_error(served)),
            _ => error::explain(topic, error, trouble),
        }
    }
}

#[async_trait]
impl EventBus for KafkaBus {
    async fn publish(&self, batch: Vec<EventEnvelope>) -> Deliveries {
        let inner = &self.inner;
        let topics = batch.iter().map(|event| event.topic.clone()).collect();
        let reports = Batch::new(batch.len());
        let mut patience = Patience::new(inner.in_flight.clone(), inner.deadline);
        let mut events = batch.iter().enumerate();
        let mut stuck_at = None;
        for (index, event) in events.by_ref() {
            let Some(place) = patience.place(&event.topic, batch.len() - index).await else {
                stuck_at = Some((index, event));
                break;
            };
            let report = Report::new(Arc::clone(&reports), index, place);
            self.enqueue(event, report, &mut patience).await;
        }
        for (index, event) in stuck_at.into_iter().chain(events) {
            let trouble = inner.producers.connections.trouble();
            reports.set(index, Err(error::stuck(event.topic.clone(), trouble)));
        }
        reports.all(topics, inner.deadline + REPORT_GRACE).boxed()
    }

    async fn flush(&self, deadline: Duration) -> Result<(), BusError> {
        let settled = self.inner.in_flight.settle(Instant::now() + deadline).await;
        settled.map_err(|topic| {
            let trouble = self.inner.producers.connections.trouble();
            BusError {
                kind: BusErrorKind::Timeout,
                ..error::stuck(topic, trouble)
            }
        })
    }

    async fn check_topic(&self, topic: &Topic) -> Result<(), BusError> {
        self.check(topic).await
    }
}

fn record_of(event: &EventEnvelope, report: Report) -> BaseRecord<'_, str, [u8], Box<Report>> {
    let headers = OwnedHeaders::new_with_capacity(event.headers.len());
    let headers = event.headers.iter().fold(headers, |headers, (key, value)| {
        let value = Some(value.as_str());
        headers.insert(Header { key, value })
    });
    BaseRecord::with_opaque_to(event.topic.as_str(), Box::new(report))
        .key(event.key.as_str())
        .payload(&event.payload[..])
        .headers(headers)
}

impl fmt::Debug for KafkaBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaBus")
            .field("brokers", &self.inner.brokers)
            .field("deadline", &self.inner.deadline)
            .finish_non_exhaustive()
    }
}
