//! A scheduler in memory, on which situations are staged.

use std::{sync::Arc, time::Duration};

use polling_model::{
    Allowance, Completion, Context, EncodedContext, Failure, Generator, Job, JobId, Nonce, Outcome,
    ScopeKey, ServiceLevel, SharedClock, SlotRing, wire,
};
use polling_transport::{Queue, TokioClock, memory::MemoryQueue};
use scheduler_lib::{
    Change, Channel, MemoryStore, Registration, Registry, Scheduler, SlotStore,
    policy::{JobTypeRules, Override},
    store::NewJob,
};
use tokio::time::sleep;

/// Noon.
const START_MS: i64 = 1_800_014_400_000;

pub(crate) struct Stage {
    pub(crate) clock: SharedClock,
    pub(crate) registry: Registry,
    store: Arc<MemoryStore>,
    work: Arc<MemoryQueue>,
    completed: Arc<MemoryQueue>,
}

impl Stage {
    /// A channel whose posts are polled by these rules.
    pub(crate) fn new(rules: JobTypeRules) -> Self {
        let clock: SharedClock = Arc::new(TokioClock::starting_at(START_MS));
        let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS));
        let dead_letter = MemoryQueue::builder("dead-letter", clock.clone()).build();
        let queue = |name| {
            MemoryQueue::builder(name, clock.clone())
                .dead_letter(dead_letter.clone(), 3)
                .build()
        };
        let (work, completed) = (queue("work"), queue("completed"));
        let channel = Channel::builder("mastodon".parse().unwrap(), store.clone())
            .job_type("posts".parse().unwrap(), rules, work.clone())
            .completed(completed.clone())
            .dead_letter(dead_letter)
            .build()
            .unwrap();
        let scheduler = Scheduler::builder()
            .channel(channel)
            .clock(clock.clone())
            .generator(Generator::from_seed(7))
            .build();
        let registry = scheduler.registry(&"mastodon".parse().unwrap()).unwrap();
        tokio::spawn(scheduler.run(std::future::pending()));
        Self {
            clock,
            registry,
            store,
            work,
            completed,
        }
    }

    pub(crate) async fn register(&self, account: &str) -> JobId {
        self.register_at(account, "default").await
    }

    pub(crate) async fn register_at(&self, account: &str, level: &str) -> JobId {
        let registration = Registration {
            level: Some(level.parse().unwrap()),
            ..Registration::new("posts".parse().unwrap(), account.parse().unwrap())
        };
        self.registry.register(registration).await.unwrap().0
    }

    pub(crate) async fn decide(&self, id: &JobId, pace: Override) {
        let change = Change {
            pace: Some(Some(pace)),
            ..Change::default()
        };
        self.registry.update(id, change).await.unwrap();
    }

    /// Registers a job of a type that the channel does not have.
    pub(crate) async fn register_likes(&self, account: &str) -> JobId {
        let id = JobId::new(format!("likes:{account}")).unwrap();
        let job = NewJob {
            id: id.clone(),
            job_type: "likes".parse().unwrap(),
            account: account.parse().unwrap(),
            level: ServiceLevel::new("default").unwrap(),
            cushion: None,
            context: EncodedContext::new("{}").unwrap(),
            incarnation: Nonce(1),
            due: [self.clock.now_ms(); 2],
        };
        self.store
            .register(vec![job], self.clock.now_ms())
            .await
            .unwrap();
        id
    }

    /// The next job that a worker takes; nobody else gets it.
    pub(crate) async fn take(&self) -> Job {
        loop {
            let mut messages = self.work.receive(1, Duration::from_secs(20)).await.unwrap();
            if let Some(message) = messages.pop() {
                self.work.ack(&message.receipt).await.unwrap();
                return wire::decode_job(message.body.as_bytes()).unwrap();
            }
        }
    }

    /// Takes each message and finishes none.
    pub(crate) async fn crash_for_ever(&self) {
        loop {
            self.work
                .receive(10, Duration::from_secs(20))
                .await
                .unwrap();
        }
    }

    pub(crate) async fn answer(&self, completion: Completion<Context>) {
        let body = wire::encode_completion(&completion).unwrap();
        assert_eq!(self.completed.send(vec![body]).await, [Ok(())]);
        sleep(Duration::from_secs(1)).await;
    }

    /// Polls whatever comes, successfully, for so many minutes.
    pub(crate) async fn poll_for(&self, minutes: u64) {
        self.poll_with(minutes, |_, _| Vec::new()).await;
    }

    /// The same, while `busy` brings an item each `every_ms`.
    pub(crate) async fn poll_for_items(&self, minutes: u64, busy: &JobId, every_ms: i64) {
        let mut polled_ms = self.clock.now_ms();
        self.poll_with(minutes, |job, now_ms| {
            if job.id != *busy {
                return Vec::new();
            }
            let times = (polled_ms / every_ms + 1..=now_ms / every_ms).map(|n| n * every_ms);
            polled_ms = now_ms;
            times.collect()
        })
        .await;
    }

    async fn poll_with(&self, minutes: u64, mut items: impl FnMut(&Job, i64) -> Vec<i64>) {
        let end_ms = self.clock.now_ms() + minutes as i64 * 60_000;
        while self.clock.now_ms() < end_ms {
            let messages = self
                .work
                .receive(10, Duration::from_secs(20))
                .await
                .unwrap();
            for message in messages {
                self.work.ack(&message.receipt).await.unwrap();
                let job: Job = wire::decode_job(message.body.as_bytes()).unwrap();
                let mut completion = self.succeeded(&job);
                completion.created_ms = items(&job, self.clock.now_ms());
                let body = wire::encode_completion(&completion).unwrap();
                assert_eq!(self.completed.send(vec![body]).await, [Ok(())]);
            }
        }
        sleep(Duration::from_secs(1)).await;
    }

    pub(crate) fn succeeded(&self, job: &Job) -> Completion<Context> {
        let outcome = Outcome::Succeeded {
            context: job.context.clone(),
            stopped: None,
        };
        self.completion(job, outcome)
    }

    pub(crate) fn failed(&self, job: &Job, failure: Failure) -> Completion<Context> {
        self.completion(job, Outcome::Failed { failure })
    }

    fn completion(&self, job: &Job, outcome: Outcome<Context>) -> Completion<Context> {
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
            finished_ms: self.clock.now_ms(),
            sent_ms: None,
        }
    }

    /// What the channel says of the app's 300 calls in 15 minutes.
    pub(crate) fn left_of_app(&self, remaining: u64, reset_min: i64) -> Allowance {
        Allowance {
            limit: Some(300),
            remaining: Some(remaining),
            reset_at_ms: Some(self.clock.now_ms() + reset_min * 60_000),
            window_ms: Some(900_000),
            ..Allowance::of(ScopeKey::new("app").unwrap())
        }
    }

    pub(crate) async fn reason(&self, id: &JobId) -> String {
        self.registry
            .get(id)
            .await
            .unwrap()
            .state
            .reason()
            .to_owned()
    }

    /// Asserts that the job's story is the one told in `tests/explain/NAME.txt`. To write it anew
    /// after a change: `POLLING_EXPLAIN_WRITE=1 cargo test -p scheduler-lib --test explain`.
    pub(crate) async fn tells(&self, id: &JobId, name: &str) {
        let told = self.registry.explain(id).await.unwrap().to_string();
        let path = format!("{}/tests/explain/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("POLLING_EXPLAIN_WRITE").is_some() {
            std::fs::write(&path, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(told, expected, "{name} tells something else:\n{told}");
    }
}

pub(crate) async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}
