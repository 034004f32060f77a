//! A raw producer, and our bus beside it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures_util::future::try_join_all;
use polling_model::{Event, EventEnvelope, Topic};
use polling_transport::{
    EventBus,
    kafka::{KafkaBus, create_topic},
};
use rdkafka::{
    ClientConfig, ClientContext,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, DeliveryResult, ProducerContext, ThreadedProducer},
};
use tokio::time::sleep;

use crate::{
    figure::Figure,
    jobs,
    rounds::{self, Round},
};

/// Events that a worker hands to the bus at once.
const BATCH: usize = 500;
/// Such batches under way at once.
const TASKS: usize = 16;
const PARTITIONS: u16 = 4;
/// How long a full buffer is left alone.
const FULL_PAUSE: Duration = Duration::from_millis(1);
/// Longest wait for the last delivery report.
const LONGEST: Duration = Duration::from_secs(60);

/// Rounds, ours and raw in turns.
const ROUNDS: usize = 5;

/// Publishes `count` events of 200 bytes by our bus, and as many by a raw producer, in turns.
///
/// # Errors
///
/// The broker's, and that one was not delivered.
pub async fn measure(brokers: &str, count: usize) -> anyhow::Result<Vec<Figure>> {
    let topic = Topic::new("events")?;
    create_topic(brokers, &topic, PARTITIONS, 1).await?;
    let bus = KafkaBus::builder(brokers).build()?;
    let producer = Raw::new(brokers)?;
    // Before anything counts both are connected, and the broker has run for a while.
    publish(&bus, events(&topic, count / 2)?).await?;
    producer.send(&events(&topic, count / 2)?).await?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let batches = events(&topic, count)?;
        let began = Instant::now();
        publish(&bus, batches).await?;
        let ours_s = began.elapsed().as_secs_f64();
        let batches = events(&topic, count)?;
        let began = Instant::now();
        producer.send(&batches).await?;
        let raw_s = began.elapsed().as_secs_f64();
        let figure = |name: &str, took_s: f64| {
            Figure::new(name, count as f64 / took_s, "events/s").with("events", count)
        };
        rounds.push(Round {
            ours: figure("kafka/publishing", ours_s),
            ceiling: figure("ceiling/kafka", raw_s),
        });
    }
    let Round { ours, ceiling } = rounds::middle(rounds).context("no round")?;
    Ok(vec![ours, ceiling])
}

/// In batches.
fn events(topic: &Topic, count: usize) -> anyhow::Result<Vec<Vec<EventEnvelope>>> {
    let sealed = (0..count).map(|number| {
        let job = jobs::job(number)?;
        let event = Event::new(topic.clone(), number.to_string(), jobs::EVENT, job.due_ms);
        event.seal(&job).context("a valid event")
    });
    let all = sealed.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(all.chunks(BATCH).map(<[_]>::to_vec).collect())
}

async fn publish(bus: &KafkaBus, batches: Vec<Vec<EventEnvelope>>) -> anyhow::Result<()> {
    let batches = std::sync::Mutex::new(batches);
    let next = || batches.lock().ok()?.pop();
    let tasks = (0..TASKS).map(|_| async {
        while let Some(batch) = next() {
            for delivered in bus.publish(batch).await.await {
                delivered?;
            }
        }
        anyhow::Ok(())
    });
    try_join_all(tasks).await.map(drop)
}

/// Counts what was delivered.
#[derive(Debug, Clone, Default)]
struct Delivered {
    count: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
}

impl ClientContext for Delivered {}

impl ProducerContext for Delivered {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        self.count.fetch_add(1, Relaxed);
        if result.is_err() {
            self.failed.fetch_add(1, Relaxed);
        }
    }
}

/// A producer with the bus's settings.
pub(super) struct Raw {
    producer: ThreadedProducer<Delivered>,
    delivered: Delivered,
}

impl Raw {
    pub(super) fn new(brokers: &str) -> anyhow::Result<Self> {
        let delivered = Delivered::default();
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.type", "lz4")
            .set("partitioner", "murmur2_random")
            .set("queue.buffering.max.messages", "200000")
            .set("queue.buffering.max.kbytes", "262144")
            .create_with_context(delivered.clone())?;
        Ok(Self {
            producer,
            delivered,
        })
    }

    /// Sends all, and waits until all are delivered that were ever sent.
    async fn send(&self, batches: &[Vec<EventEnvelope>]) -> anyhow::Result<()> {
        let before = self.delivered.count.load(Relaxed);
        let mut sent = 0;
        for event in batches.iter().flatten() {
            self.send_one(event).await?;
            sent += 1;
        }
        let began = Instant::now();
        while self.delivered.count.load(Relaxed) < before + sent {
            ensure!(began.elapsed() < LONGEST, "not all events were delivered");
            sleep(FULL_PAUSE).await;
        }
        ensure!(self.delivered.failed.load(Relaxed) == 0, "an event failed");
        Ok(())
    }

    async fn send_one(&self, event: &EventEnvelope) -> anyhow::Result<()> {
        let mut record = record(event);
        loop {
            let Err((error, refused)) = self.producer.send(record) else {
                return Ok(());
            };
            if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                return Err(error).context("cannot send");
            }
            record = refused;
            sleep(FULL_PAUSE).await;
        }
    }
}

pub(super) fn record(event: &EventEnvelope) -> BaseRecord<'_, str, [u8]> {
    let headers = OwnedHeaders::new_with_capacity(event.headers.len());
    let headers = event.headers.iter().fold(headers, |headers, (key, value)| {
        let value = Some(value.as_bytes());
        headers.insert(Header { key, value })
    });
    BaseRecord::to(event.topic.as_str())
        .key(event.key.as_str())
        .payload(&event.payload[..])
        .headers(headers)
}
