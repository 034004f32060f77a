//! From the slots to the work queue: what a queue did not take, and how fast a backlog goes out.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use polling_model::{Context, Generator, Job, JobId, SharedClock, SlotRing, wire};
use polling_transport::{
    EntryError, Message, Outgoing, Queue, QueueError, QueueStats, Receipt, SharedQueue, TokioClock,
    memory::MemoryQueue,
};
use scheduler_lib::{
    Channel, Limits, MemoryStore, Registration, Registry, Scheduler, policy::JobTypeRules,
};
use tokio::time::{Instant, sleep};

const START_MS: i64 = 1_700_000_040_000;
const INTERVAL: Duration = Duration::from_secs(300);

/// A queue whose first sends take only every second entry, and say so.
#[derive(Debug)]
struct Choosy {
    inner: Arc<MemoryQueue>,
    partial_sends: AtomicUsize,
}

#[async_trait]
impl Queue for Choosy {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn visibility_timeout(&self) -> Duration {
        self.inner.visibility_timeout()
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Message>, QueueError> {
        self.inner.receive(max, wait).await
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        if self.partial_sends.load(Relaxed) == 0 {
            return self.inner.send_all(messages).await;
        }
        self.partial_sends.fetch_sub(1, Relaxed);
        let mut answers = Vec::new();
        for (at, message) in messages.into_iter().enumerate() {
            if at % 2 == 0 {
                let reason = "throttled".to_owned();
                answers.push(Err(EntryError::Unknown { reason }));
            } else {
                answers.extend(self.inner.send_all(vec![message]).await);
            }
        }
        answers
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.inner.ack(receipt).await
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        self.inner.extend(receipt, visibility).await
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        self.inner.stats().await
    }
}

/// A scheduler that is built and not started yet.
fn scheduler(work: SharedQueue, limits: Limits) -> (Scheduler, Registry) {
    let clock: SharedClock = Arc::new(TokioClock::starting_at(START_MS));
    let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS));
    let queue = |name| MemoryQueue::builder(name, clock.clone()).build();
    let channel = Channel::builder("mastodon".parse().unwrap(), store)
        .job_type(
            "posts".parse().unwrap(),
            JobTypeRules::every(INTERVAL),
            work,
        )
        .completed(queue("completed"))
        .dead_letter(queue("dead-letter"))
        .limits(limits)
        .build()
        .unwrap();
    let scheduler = Scheduler::builder()
        .channel(channel)
        .clock(clock)
        .generator(Generator::from_seed(7))
        .build();
    let registry = scheduler.registry(&"mastodon".parse().unwrap()).unwrap();
    (scheduler, registry)
}

async fn register(registry: &Registry, accounts: usize) {
    for account in 0..accounts {
        let account = format!("{account}").parse().unwrap();
        let registration = Registration::new("posts".parse().unwrap(), account);
        registry.register(registration).await.unwrap();
    }
}

/// The reaper would bring back a job that was never sent, too, but minutes later and as another
/// dispatch: the note is what keeps a partial batch from costing more than its own deadline.
#[tokio::test(start_paused = true)]
async fn what_the_queue_did_not_take_is_sent_again_at_the_notes_deadline() {
    const JOBS: usize = 40;
    let clock: SharedClock = Arc::new(TokioClock::starting_at(START_MS));
    let inner = MemoryQueue::builder("work", clock).build();
    let work = Choosy {
        inner: inner.clone(),
        partial_sends: AtomicUsize::new(100),
    };
    let work = Arc::new(work);
    let (scheduler, registry) = scheduler(work.clone(), Limits::default());
    register(&registry, JOBS).await;
    let running = tokio::spawn(scheduler.run(std::future::pending()));
    let note_deadline = Limits::default().note_deadline;
    // Every slot of the interval has come, and each chunk was sent once, in part.
    sleep(INTERVAL + note_deadline / 2).await;
    assert!(inner.messages().len() < JOBS, "the queue took all");
    work.partial_sends.store(0, Relaxed);
    sleep(note_deadline * 2).await;
    let jobs = inner.messages().into_iter().map(|message| {
        let job: Job<Context> = wire::decode_job(message.body.as_bytes()).unwrap();
        assert_eq!(job.token.generation, 1, "{} was dispatched anew", job.id);
        job.id
    });
    assert_eq!(jobs.collect::<BTreeSet<JobId>>().len(), JOBS);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_backlog_goes_out_no_faster_than_the_cap() {
    const JOBS: usize = 1_500;
    let per_s = 100;
    let limits = Limits {
        dispatch_per_s: per_s,
        ..Limits::default()
    };
    let clock: SharedClock = Arc::new(TokioClock::starting_at(START_MS));
    let work = MemoryQueue::builder("work", clock).build();
    let (scheduler, registry) = scheduler(work.clone(), limits);
    register(&registry, JOBS).await;
    sleep(Duration::from_secs(3600)).await;
    let began = Instant::now();
    let running = tokio::spawn(scheduler.run(std::future::pending()));
    let mut sent = 0;
    while sent < JOBS {
        sleep(Duration::from_secs(1)).await;
        sent = work.messages().len();
        let granted = u64::from(per_s) * (began.elapsed().as_secs() + 1);
        assert!(sent as u64 <= granted, "{sent} sent, {granted} granted");
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "only {sent} sent"
        );
    }
    running.abort();
}
