//! The full cycle's calls without the cycle: SQS, Redis and Kafka at once.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use aws_sdk_sqs::{
    Client,
    types::{
        DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName,
        SendMessageBatchRequestEntry,
    },
};
use futures_util::future::{join_all, try_join_all, try_join3};
use polling_model::{
    Completion, Event, EventEnvelope, Job, Observation, Observer as _, Outcome, Topic, wire,
};
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
    process::cpu_us,
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

const WORK: &str = "raw-work";
const COMPLETED: &str = "raw-completed";
const DEAD_LETTER: &str = "raw-dead-letter";
const MAX_RECEIVES: u32 = 3;

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

struct Queue {
    name: &'static str,
    url: String,
}

struct Raw {
    client: Client,
    requests: Requests,
    work: Queue,
    completed: Queue,
    producer: ThreadedProducer<Told>,
    event: EventEnvelope,
    job: String,
    completion: String,
    jobs: usize,
    waiting: usize,
    sent: AtomicUsize,
    done: AtomicUsize,
}

/// The calls of `jobs` cycles, with one event each, as the figure `ceiling/servers`; `waiting`
/// messages are in the work queue all the time.
///
/// # Errors
///
/// A server's.
pub async fn measure(servers: &Servers, jobs: usize, waiting: usize) -> anyhow::Result<Figure> {
    let mut redis = RedisServer::connect(&servers.redis).await?;
    let plan = Plan::all(jobs + waiting, WINDOW, 0);
    let prepared = Prepared::new(&redis, &plan).await?;
    let replay = Replay::connect(&redis.host_port()?, WINDOW).await?;
    let raw = Raw::new(servers, jobs, waiting).await?;
    let lanes = try_join_all((0..LANES).map(|_| raw.lane()));
    let (_, (), figure) = try_join3(lanes, raw.redis(&prepared, replay), raw.figure()).await?;
    redis.empty().await?;
    servers
        .delete_queues(&[WORK, COMPLETED, DEAD_LETTER])
        .await?;
    Ok(figure)
}

impl Raw {
    async fn new(servers: &Servers, jobs: usize, waiting: usize) -> anyhow::Result<Self> {
        let client = servers.sqs_client().await;
        sqs::create_queue(&client, &QueueSpec::new(DEAD_LETTER, VISIBILITY)).await?;
        let queue = async |name| {
            let spec = QueueSpec::new(name, VISIBILITY).dead_letter(DEAD_LETTER, MAX_RECEIVES);
            sqs::create_queue(&client, &spec).await?;
            let url = client.get_queue_url().queue_name(name).send().await?;
            let url = url.queue_url.context("a queue without an address")?;
            anyhow::Ok(Queue { name, url })
        };
        let topic = Topic::new("raw-posts")?;
        kafka::create_topic(&servers.kafka, &topic, 4, 1).await?;
        let job = jobs::job(42)?;
        let event = Event::new(topic, "1", jobs::EVENT, job.due_ms).seal(&job)?;
        Ok(Self {
            requests: Requests::default(),
            work: queue(WORK).await?,
            completed: queue(COMPLETED).await?,
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
            waiting,
            sent: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
        })
    }

    /// Jobs a second, once the first ones are done, and as long as messages wait.
    async fn figure(&self) -> anyhow::Result<Figure> {
        let reached = async |jobs: usize| {
            while self.done.load(Relaxed) < jobs {
                sleep(PAUSE).await;
            }
            anyhow::Ok((Instant::now(), self.done.load(Relaxed), cpu_us()?))
        };
        let (began, first, cpu_before_us) = reached(self.jobs / 10).await?;
        drop(self.requests.take());
        let (ended, last, cpu_after_us) = reached(self.jobs).await?;
        let (asked, jobs) = (self.requests.take(), (last - first) as f64);
        let per_s = jobs / (ended - began).as_secs_f64();
        Ok(Figure::new("ceiling/servers", per_s, "jobs/s")
            .with("jobs", jobs)
            .with("waiting", self.waiting)
            .with("requests_per_job", asked.per_job(jobs))
            .with("requests", asked.of_kinds(jobs))
            .with(
                "cpu_us_per_job",
                (cpu_after_us - cpu_before_us) as f64 / jobs,
            ))
    }

    /// Six calls of SQS for ten jobs, and their events between them.
    async fn lane(&self) -> anyhow::Result<()> {
        while self.done.load(Relaxed) < self.all() {
            while self.is_to_send() {
                self.send(&self.work, &self.job, BATCH).await?;
            }
            let received = self.receive(&self.work).await?;
            if !received.is_empty() {
                let events = received.iter().map(|message| self.publish(message));
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

    /// Those that are counted, and those that wait until the end.
    const fn all(&self) -> usize {
        self.jobs + self.waiting
    }

    /// Takes the next batch to be sent, if there is room for it in the work queue.
    fn is_to_send(&self) -> bool {
        let most = self.all().min(self.done.load(Relaxed) + self.waiting);
        let next = |sent| (sent < most).then_some(sent + BATCH);
        self.sent.fetch_update(Relaxed, Relaxed, next).is_ok()
    }

    async fn send(&self, queue: &Queue, body: &str, count: usize) -> anyhow::Result<()> {
        let entries = (0..count).map(|n| {
            let entry = SendMessageBatchRequestEntry::builder();
            entry.id(n.to_string()).message_body(body).build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        self.requested(queue, "send", count);
        let call = self.client.send_message_batch().queue_url(&queue.url);
        call.set_entries(Some(entries)).send().await?;
        Ok(())
    }

    async fn receive(&self, queue: &Queue) -> anyhow::Result<Vec<Message>> {
        let call = self.client.receive_message().queue_url(&queue.url);
        let call = call.max_number_of_messages(BATCH as i32);
        let call = call
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let answer = call.wait_time_seconds(0).send().await?;
        let messages = answer.messages.unwrap_or_default();
        self.requested(queue, "receive", messages.len());
        Ok(messages)
    }

    async fn delete(&self, queue: &Queue, messages: Vec<Message>) -> anyhow::Result<()> {
        self.requested(queue, "delete", messages.len());
        let entries = messages.into_iter().enumerate().map(|(n, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder();
            let receipt = message.receipt_handle.unwrap_or_default();
            entry.id(n.to_string()).receipt_handle(receipt).build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let call = self.client.delete_message_batch().queue_url(&queue.url);
        call.set_entries(Some(entries)).send().await?;
        Ok(())
    }

    fn requested(&self, queue: &Queue, call: &'static str, messages: usize) {
        self.requests.observe(Observation::Requested {
            queue: queue.name,
            call,
            messages,
        });
    }

    /// With a key of its own, so that all partitions have their share.
    async fn publish(&self, message: &Message) -> anyhow::Result<()> {
        let (tell, told) = oneshot::channel();
        let key = message.message_id.as_deref().unwrap_or_default();
        let record = BaseRecord::with_opaque_to(self.event.topic.as_str(), Box::new(tell))
            .key(key)
            .payload(&self.event.payload[..]);
        self.producer.send(record).map_err(|(error, _)| error)?;
        ensure!(told.await?, "an event was not delivered");
        Ok(())
    }

    /// As many of the commands as jobs are done.
    async fn redis(&self, prepared: &Prepared, mut replay: Replay) -> anyhow::Result<()> {
        let chunks = prepared.chunks();
        for chunk in 0..chunks {
            while self.done.load(Relaxed) * chunks < chunk * self.all() {
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
        sent_ms: None,
    }
}
