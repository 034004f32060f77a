//! A scheduler on stores and queues in memory.

use std::{sync::Arc, time::Duration};

use polling_model::{
    Completion, Context, EncodedContext, Generator, Job, JobId, Outcome, SharedClock, SlotRing,
    wire,
};
use polling_transport::{Message, Queue, TokioClock, memory::MemoryQueue};
use scheduler_lib::{
    Channel, Limits, MemoryStore, Monitor, Registration, Registry, Scheduler, SlotStore,
    ledger::{MemoryLedger, SharedLedger},
    policy::JobTypeRules,
    store::Place,
};
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

const START_MS: i64 = 1_700_000_040_000;
pub(crate) const INTERVAL: Duration = Duration::from_secs(300);

/// A scheduler on stores and queues that outlive it.
pub(crate) struct Bench {
    pub(crate) clock: SharedClock,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) work: Arc<MemoryQueue>,
    pub(crate) completed: Arc<MemoryQueue>,
    pub(crate) dead_letter: Arc<MemoryQueue>,
    pub(crate) registry: Registry,
    pub(crate) monitor: Monitor,
    settings: (JobTypeRules, SharedLedger, Limits),
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Bench {
    pub(crate) fn start() -> Self {
        let (rules, ledger) = (JobTypeRules::every(INTERVAL), MemoryLedger::new());
        Self::of((rules, Arc::new(ledger), Limits::default()))
    }

    /// With rules and a ledger. It looks at its slots less often: for days that pass in a moment.
    pub(crate) fn with(rules: JobTypeRules, ledger: SharedLedger) -> Self {
        let limits = Limits {
            tick: Duration::from_secs(5),
            receive_wait: Duration::from_secs(20),
            sweep_per_s: 100,
            ..Limits::default()
        };
        Self::of((rules, ledger, limits))
    }

    fn of(settings: (JobTypeRules, SharedLedger, Limits)) -> Self {
        let clock: SharedClock = Arc::new(TokioClock::starting_at(START_MS));
        let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS));
        let dead_letter = MemoryQueue::builder("dead-letter", clock.clone()).build();
        let queue = |name| {
            MemoryQueue::builder(name, clock.clone())
                .dead_letter(dead_letter.clone(), 3)
                .build()
        };
        let (work, completed) = (queue("work"), queue("completed"));
        let channel = channel(&settings, &store, [&work, &completed, &dead_letter]);
        let (registry, monitor, stop, running) = run(&clock, channel);
        Self {
            settings,
            clock,
            store,
            work,
            completed,
            dead_letter,
            registry,
            monitor,
            stop: Some(stop),
            running,
        }
    }

    pub(crate) async fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        (&mut self.running).await.unwrap();
    }

    pub(crate) fn restart(&mut self) {
        let queues = [&self.work, &self.completed, &self.dead_letter];
        let channel = channel(&self.settings, &self.store, queues);
        let (registry, monitor, stop, running) = run(&self.clock, channel);
        (self.registry, self.monitor) = (registry, monitor);
        (self.stop, self.running) = (Some(stop), running);
    }

    pub(crate) async fn register(&self, account: &str) -> JobId {
        let registration = Registration::new("posts".parse().unwrap(), account.parse().unwrap());
        self.registry.register(registration).await.unwrap().0
    }

    pub(crate) async fn receive(&self) -> (Message, Job) {
        let message = loop {
            if let Some(message) = self
                .work
                .receive(1, Duration::from_secs(20))
                .await
                .unwrap()
                .pop()
            {
                break message;
            }
        };
        let job = wire::decode_job(message.body.as_bytes()).unwrap();
        (message, job)
    }

    pub(crate) async fn complete(&self, job: &Job, outcome: Outcome<Context>) {
        let body = completion(job, outcome);
        let sent = self.completed.send(vec![body]).await;
        assert_eq!(sent, [Ok(())]);
        sleep(Duration::from_secs(1)).await;
    }

    /// A poll that counts in its context how often it has run.
    pub(crate) async fn poll(&self) -> Job {
        let (message, job) = self.receive().await;
        let context = Context::from_iter([(
            "polls",
            (job.context.get_i64("polls").unwrap_or(0) + 1).into(),
        )]);
        self.complete(&job, succeeded(context)).await;
        self.work.ack(&message.receipt).await.unwrap();
        job
    }

    pub(crate) async fn polls(&self, id: &JobId) -> i64 {
        self.record_context(id).await.get_i64("polls").unwrap_or(0)
    }

    pub(crate) async fn record_context(&self, id: &JobId) -> Context {
        EncodedContext::decode(&self.registry.get(id).await.unwrap().context).unwrap()
    }

    pub(crate) async fn place(&self, id: &JobId) -> Place {
        self.registry.get(id).await.unwrap().state.place
    }

    /// Every registered job is in exactly one place.
    pub(crate) async fn assert_conserved(&self) {
        let counts = self.store.counts().await.unwrap();
        assert_eq!(
            counts.registered,
            counts.slots + counts.in_flight + counts.later + counts.held,
            "{counts:?}"
        );
    }
}

pub(crate) fn succeeded(context: Context) -> Outcome<Context> {
    Outcome::Succeeded {
        context,
        stopped: None,
    }
}

/// The message that answers `job`.
pub(crate) fn completion(job: &Job, outcome: Outcome<Context>) -> String {
    wire::encode_completion(&answer(job, outcome)).unwrap()
}

/// An answer to `job` that says nothing of limits.
pub(crate) fn answer(job: &Job, outcome: Outcome<Context>) -> Completion<Context> {
    Completion {
        id: job.id.clone(),
        job_type: job.job_type.clone(),
        token: job.token,
        outcome,
        allowances: vec![],
        saturated: false,
        events: 0,
        created_ms: vec![],
        calls: 1,
        finished_ms: 0,
        sent_ms: None,
    }
}

fn channel(
    (rules, ledger, limits): &(JobTypeRules, SharedLedger, Limits),
    store: &Arc<MemoryStore>,
    [work, completed, dead_letter]: [&Arc<MemoryQueue>; 3],
) -> Channel {
    Channel::builder("mastodon".parse().unwrap(), store.clone())
        .job_type("posts".parse().unwrap(), rules.clone(), work.clone())
        .completed(completed.clone())
        .dead_letter(dead_letter.clone())
        .ledger(ledger.clone())
        .limits(limits.clone())
        .build()
        .unwrap()
}

fn run(
    clock: &SharedClock,
    channel: Channel,
) -> (Registry, Monitor, oneshot::Sender<()>, JoinHandle<()>) {
    let scheduler = Scheduler::builder()
        .channel(channel)
        .clock(clock.clone())
        .generator(Generator::from_seed(7))
        .build();
    let registry = scheduler.registry(&"mastodon".parse().unwrap()).unwrap();
    let monitor = scheduler.monitor();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(scheduler.run(async { stopped.await.unwrap_or(()) }));
    (registry, monitor, stop, running)
}
