//! The full cycle's calls without the cycle: SQS, Redis and Kafka at once.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use aws_sdk_sqs::{
    Client,
    types::{DeleteMessageBatchRequestEntry, Message, SendMessageBatchRequestEntry},
};
use futures_util::future::{join_all, try_join_all, try_join3};
use polling_model::{Completion, Event, EventEnvelope, Job, Outcome, Topic, wire};
use polling_transport::{
    kafka,
    sqs::{self, QueueSpec},
};
use rdkafka::{
    ClientConfig, ClientContext,
    producer::{BaseRecord, DeliveryResult, ProducerContext, ThreadedProducer},
};
use tokio::{sync::oneshot, time::sleep};

use crate::{
    cycle::{Requests, Servers},
    figure::Figure,
    jobs,
    redis_server::{RedisServer, Replay},
    store::{Plan, Prepared},
};

/// Messages of one call of SQS.
const BATCH: usize = 10;
/// Sequences of calls at once.
const LANES: usize = 16;
/// Redis commands at once.
const WINDOW: usize = 4;
const VISIBILITY: Duration = Duration::from_secs(60);
/// How long the Redis commands wait for the others.
const PAUSE: Duration = Duration::from_millis(1);

/// Tells of each event whether it was delivered.
struct Told;

impl ClientContext for Told {}

impl ProducerContext for Told {
    type DeliveryOpaque = Box<oneshot::Sender<bool>>;

    fn delivery(&self, result: &DeliveryResult<'_>, told: Self::DeliveryOpaque) {
        // Nobody waits any more: the run has failed already.
        let _ = told.send(result.is_ok());
    }
}

struct Raw {
    client: Client,
    work: String,
    completed: String,
    producer: ThreadedProducer<Told>,
    event: EventEnvelope,
    job: String,
    completion: String,
    jobs: usize,
    sent: AtomicUsize,
    done: AtomicUsize,
}

/// All calls of `jobs` cycles, with one event each, as the figure `ceiling/servers`.
///
/// # Errors
///
/// A server's.
pub async fn measure(servers: &Servers, jobs: usize) -> anyhow::Result<Figure> {
    let mut redis = RedisServer::connect(&servers.redis).await?;
    let plan = Plan::all(jobs, WINDOW, 0);
    let prepared = Prepared::new(&redis, &plan).await?;
    let replay = Replay::connect(&redis.host_port()?, WINDOW).await?;
    let raw = Raw::new(servers, jobs).await?;
    let lanes = try_join_all((0..LANES).map(|_| raw.lane()));
    let ((), _, per_s) = try_join3(raw.redis(&prepared, replay), lanes, raw.rate()).await?;
    redis.empty().await?;
    Ok(Figure::new("ceiling/servers", per_s, "jobs/s").with("jobs", jobs))
}

impl Raw {
    async fn new(servers: &Servers, jobs: usize) -> anyhow::Result<Self> {
        let client = servers.sqs_client(&Requests::default()).await;
        let queue = async |name: &str| {
            sqs::create_queue(&client, &QueueSpec::new(name, VISIBILITY)).await?;
            let url = client.get_queue_url().queue_name(name).send().await?;
            url.queue_url.context("a queue without an address")
        };
        let topic = Topic::new("raw-posts")?;
        kafka::create_topic(&servers.kafka, &topic, 4, 1).await?;
        let job = jobs::job(42)?;
        let event = Event::new(topic, "1", jobs::EVENT, job.due_ms).seal(&job)?;
        Ok(Self {
            work: queue("raw-work").await?,
            completed: queue("raw-completed").await?,
            producer: ClientConfig::new()
                .set("bootstrap.servers", &servers.kafka)
                .set("enable.idempotence", "true")
                .set("acks", "all")
                .set("compression.type", "lz4")
                .create_with_context(Told)?,
            event,
            completion: wire::encode_completion(&completion(&job))?,
            job: wire::encode_job(&job)?,
            client,
            jobs,
            sent: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
        })
    }

    /// Jobs a second, once the servers are warm, and while no lane has to look for the last of
    /// them.
    async fn rate(&self) -> anyhow::Result<f64> {
        let (warm, last) = (self.jobs / 3, self.jobs * 9 / 10);
        let reached = async |jobs: usize| {
            while self.done.load(Relaxed) < jobs {
                sleep(PAUSE).await;
            }
            (Instant::now(), self.done.load(Relaxed))
        };
        let (began, first) = reached(warm).await;
        let (ended, count) = reached(last).await;
        Ok((count - first) as f64 / (ended - began).as_secs_f64())
    }

    /// Six calls of SQS for ten jobs, and their events between them.
    async fn lane(&self) -> anyhow::Result<()> {
        while self.done.load(Relaxed) < self.jobs {
            if self.sent.fetch_add(BATCH, Relaxed) < self.jobs {
                self.send(&self.work, &self.job, BATCH).await?;
            }
            let received = self.receive(&self.work).await?;
            if !received.is_empty() {
                let events = received.iter().map(|_| self.publish());
                for published in join_all(events).await {
                    published?;
                }
                self.send(&self.completed, &self.completion, received.len())
                    .await?;
                self.delete(&self.work, received).await?;
            }
            let completed = self.receive(&self.completed).await?;
            if !completed.is_empty() {
                let count = completed.len();
                self.delete(&self.completed, completed).await?;
                self.done.fetch_add(count, Relaxed);
            }
        }
        Ok(())
    }

    async fn send(&self, queue: &str, body: &str, count: usize) -> anyhow::Result<()> {
        let entries = (0..count).map(|n| {
            let entry = SendMessageBatchRequestEntry::builder();
            entry.id(n.to_string()).message_body(body).build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let call = self.client.send_message_batch().queue_url(queue);
        call.set_entries(Some(entries)).send().await?;
        Ok(())
    }

    async fn receive(&self, queue: &str) -> anyhow::Result<Vec<Message>> {
        let call = self.client.receive_message().queue_url(queue);
        let call = call.max_number_of_messages(BATCH as i32);
        let answer = call.wait_time_seconds(0).send().await?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn delete(&self, queue: &str, messages: Vec<Message>) -> anyhow::Result<()> {
        let entries = messages.into_iter().enumerate().map(|(n, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder();
            let receipt = message.receipt_handle.unwrap_or_default();
            entry.id(n.to_string()).receipt_handle(receipt).build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let call = self.client.delete_message_batch().queue_url(queue);
        call.set_entries(Some(entries)).send().await?;
        Ok(())
    }

    async fn publish(&self) -> anyhow::Result<()> {
        let (tell, told) = oneshot::channel();
        let record = BaseRecord::with_opaque_to(self.event.topic.as_str(), Box::new(tell))
            .key(self.event.key.as_str())
            .payload(&self.event.payload[..]);
        self.producer.send(record).map_err(|(error, _)| error)?;
        ensure!(told.await?, "an event was not delivered");
        Ok(())
    }

    /// As many of the commands as jobs are done.
    async fn redis(&self, prepared: &Prepared, mut replay: Replay) -> anyhow::Result<()> {
        let chunks = prepared.chunks();
        for chunk in 0..chunks {
            while self.done.load(Relaxed) * chunks < chunk * self.jobs {
                sleep(PAUSE).await;
            }
            replay.run_some(&prepared.of_chunk(chunk)).await?;
        }
        Ok(())
    }
}

fn completion(job: &Job) -> Completion {
    Completion {
        id: job.id.clone(),
        job_type: job.job_type.clone(),
        token: job.token,
        outcome: Outcome::Succeeded {
            context: job.context.clone(),
            stopped: None,
        },
        allowances: Vec::new(),
        saturated: false,
        events: 1,
        created_ms: vec![job.due_ms],
        calls: 1,
        finished_ms: job.due_ms,
    }
}
