//! A running scheduler on a server that is broken under it, with queues in memory and a worker that
//! answers each message.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use polling_model::{
    Clock, Completion, Context, Job, JobId, Nonce, Outcome, SlotRing, SystemClock, chain, wire,
};
use polling_transport::{Queue, memory::MemoryQueue};
use redis::AsyncCommands;
use scheduler_lib::{
    Channel, Limits, Registration, Registry, Scheduler,
    policy::JobTypeRules,
    store::{Place, RedisStore, RedisStoreBuilder, SharedStore},
};
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

use crate::own_server::{OwnServer, eventually};

/// How many jobs there are, unless a test says. Each is due every second.
const JOBS: usize = 5;

pub(crate) struct Live {
    pub(crate) store: SharedStore,
    /// What the keys of a store of one shard begin with.
    pub(crate) prefix: String,
    pub(crate) registry: Registry,
    ids: BTreeSet<JobId>,
    seen: Arc<Seen>,
    work: Arc<MemoryQueue>,
    tasks: Vec<JoinHandle<()>>,
    // Its end would end the scheduler.
    _stop: oneshot::Sender<()>,
}

#[derive(Default)]
struct Seen {
    polls: AtomicUsize,
    dispatches: Mutex<BTreeSet<(JobId, Nonce)>>,
}

pub(crate) fn builder(url: &str) -> RedisStoreBuilder {
    RedisStore::builder(url, "mastodon".parse().expect("a channel"))
        .ring(SlotRing::SECONDS)
        .timeouts(Duration::from_millis(300), Duration::from_millis(600))
}

impl Live {
    pub(crate) async fn start(url: &str) -> Self {
        let store = builder(url).open(SystemClock.now_ms()).await;
        let store = store.expect("the store opens");
        let prefix = store.prefix().to_owned();
        let mut live = Self::on(Arc::new(store));
        live.prefix = prefix;
        live.register(JOBS).await;
        live
    }

    /// Registers jobs, and waits until they are polled.
    pub(crate) async fn register(&mut self, jobs: usize) {
        for account in 0..jobs {
            let account = account.to_string().parse().expect("an account");
            let job = Registration::new("posts".parse().expect("a job type"), account);
            let (id, _) = self.registry.register(job).await.expect("register");
            self.ids.insert(id);
        }
        self.polls_go_on().await;
    }

    /// A scheduler and a worker on a store that is there.
    pub(crate) fn on(store: SharedStore) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let queue = |name: &str| {
            MemoryQueue::builder(name, clock.clone())
                .visibility_timeout(Duration::from_secs(2))
                .build()
        };
        let (work, completed) = (queue("work"), queue("completed"));
        let limits = Limits {
            queue_wait: Duration::from_secs(1),
            work: Duration::from_secs(1),
            max_receives: 1,
            in_flight_margin: Duration::from_secs(1),
            note_deadline: Duration::from_secs(1),
            ..Limits::of_seconds()
        };
        let channel = Channel::builder("mastodon".parse().expect("a channel"), store.clone())
            .job_type(
                "posts".parse().expect("a job type"),
                JobTypeRules::every(Duration::from_secs(1)),
                work.clone(),
            )
            .completed(completed.clone())
            .dead_letter(queue("dead-letter"))
            .limits(limits)
            .build()
            .expect("a channel");
        let scheduler = Scheduler::builder().channel(channel).build();
        let registry = scheduler
            .registry(&"mastodon".parse().expect("a channel"))
            .expect("served");
        let (stop, stopped) = oneshot::channel::<()>();
        let seen = Arc::new(Seen::default());
        let tasks = vec![
            tokio::spawn(scheduler.run(async { stopped.await.unwrap_or(()) })),
            tokio::spawn(answer(work.clone(), completed, seen.clone())),
        ];
        Self {
            store,
            prefix: String::new(),
            registry,
            ids: BTreeSet::new(),
            seen,
            work,
            tasks,
            _stop: stop,
        }
    }

    pub(crate) fn polls(&self) -> usize {
        self.seen.polls.load(Relaxed)
    }

    /// Each job is polled again, on average.
    pub(crate) async fn polls_go_on(&self) {
        let wanted = self.polls() + 2 * self.ids.len();
        eventually("the polls go on", async || self.polls() >= wanted).await;
    }

    /// Every job among those wanted is polled again.
    pub(crate) async fn each_is_polled(&self, wanted: impl Fn(&JobId) -> bool) {
        self.seen.dispatches.lock().expect("no panic").clear();
        let count = self.ids.iter().filter(|id| wanted(id)).count();
        assert!(count > 0, "none is wanted");
        eventually("each job is polled", async || {
            let dispatches = self.seen.dispatches.lock().expect("no panic");
            let ids = dispatches.iter().map(|(id, _)| id);
            ids.filter(|id| wanted(id)).collect::<BTreeSet<_>>().len() == count
        })
        .await;
    }

    /// What the readiness check says is wrong.
    pub(crate) async fn reason(&self) -> Option<String> {
        self.registry.check().await.err().map(|error| chain(&error))
    }

    /// Waits until readiness says `words`.
    pub(crate) async fn says(&self, words: &str) {
        let mut last = None;
        eventually(words, async || {
            last = self.reason().await;
            last.as_ref().is_some_and(|reason| reason.contains(words))
        })
        .await;
    }

    /// For as long as a fault lasts: what is being sent ends soon, then nothing is.
    pub(crate) async fn sends_nothing(&self) {
        sleep(Duration::from_millis(700)).await;
        let before = self.polls();
        sleep(Duration::from_millis(1_500)).await;
        assert_eq!(
            self.polls(),
            before,
            "polled although the store takes no writes"
        );
    }

    /// Every job in flight was sent under its token, or its note is open.
    pub(crate) async fn assert_no_lease_without_a_send(&self, server: &OwnServer) {
        let records = self.store.list(None, 100).await.expect("list").records;
        let notes = format!("{}notes", self.prefix);
        let notes: Vec<String> = server
            .raw()
            .await
            .zrange(notes, 0, -1)
            .await
            .expect("ZRANGE");
        let messages = self.work.messages();
        let sent = messages.iter().map(|message| {
            let job: Job = wire::decode_job(message.body.as_bytes()).expect("a job");
            (job.id, job.token.nonce)
        });
        let mut sent: BTreeSet<_> = sent.collect();
        sent.extend(
            self.seen
                .dispatches
                .lock()
                .expect("no panic")
                .iter()
                .cloned(),
        );
        for record in records {
            let Some(token) = record.state.token() else {
                continue;
            };
            let leased = matches!(record.state.place, Place::InFlight { .. });
            assert!(
                !leased
                    || sent.contains(&(record.id.clone(), token.nonce))
                    || notes.contains(&token.nonce.to_string()),
                "leased and never sent: {record:?}"
            );
        }
    }

    /// After healing: the cycle goes on, each job is in one place, and nothing has to be mended.
    pub(crate) async fn assert_whole(&self, server: &OwnServer) {
        self.polls_go_on().await;
        self.assert_no_lease_without_a_send(server).await;
        let counts = self.store.counts().await.expect("counts");
        let places = counts.slots + counts.in_flight + counts.later + counts.held;
        assert_eq!((counts.registered, counts.held), (places, 0), "{counts:?}");
        assert_eq!(self.reason().await, None);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn answer(work: Arc<MemoryQueue>, completed: Arc<MemoryQueue>, seen: Arc<Seen>) {
    loop {
        let messages = work
            .receive(10, Duration::from_millis(200))
            .await
            .expect("receive");
        for message in messages {
            let job: Job = wire::decode_job(message.body.as_bytes()).expect("a job");
            seen.dispatches
                .lock()
                .expect("no panic")
                .insert((job.id.clone(), job.token.nonce));
            seen.polls.fetch_add(1, Relaxed);
            let completion = Completion {
                id: job.id,
                job_type: job.job_type,
                token: job.token,
                outcome: Outcome::Succeeded {
                    context: Context::new(),
                    stopped: None,
                },
                allowances: vec![],
                saturated: false,
                events: 0,
                created_ms: vec![],
                calls: 1,
                finished_ms: SystemClock.now_ms(),
                sent_ms: None,
            };
            let body = wire::encode_completion(&completion).expect("a completion");
            assert_eq!(completed.send(vec![body]).await, [Ok(())]);
            work.ack(&message.receipt).await.expect("ack");
        }
    }
}
