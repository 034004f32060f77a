//! Everything put together, as a program of your own would.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use polling_core::{
    AccountId, ChannelId, Event, Job, JobType, Observation, Observer as _, PollError, Polled,
    Poller, Queue, ServiceLevel, SharedClock, SharedObserver, SystemClock, Topic, Worker,
    WorkerConfig,
    model::SlotRing,
    transport::memory::{MemoryBus, MemoryQueue},
};
use scheduler_lib::{
    Channel as ScheduledChannel, Limits, MemoryStore, Registration, Registry, Scheduler,
    ledger::Cushion,
    policy::{Backoff, ErrorRule, JobTypeRules, LevelRules},
};
use scheduler_web::Recent;
use tokio::{
    sync::watch,
    time::{Instant, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    arrivals::Arrivals,
    channel::Channel,
    console::Console,
    tally::Tally,
    view::{Snapshot, View},
};

/// The cast: the channel, the worker's and the scheduler's sides, and what they report.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) channel: Arc<Channel>,
    pub(crate) arrivals: Mutex<Arrivals>,
    bus: MemoryBus,
    topic: Topic,
    pub(crate) tally: Arc<Tally>,
    /// For the console.
    recent: Arc<Recent>,
    pub(crate) registry: Registry,
    accounts: Vec<AccountId>,
    clock: SharedClock,
    work: Arc<MemoryQueue>,
    completed: Arc<MemoryQueue>,
    scheduler: Mutex<Option<Scheduler>>,
}

/// How often the view is drawn.
const FRAME: Duration = Duration::from_millis(250);

/// Longest wait for the last completions to be settled.
const LAST_SETTLES: Duration = Duration::from_secs(10);

impl Stage {
    pub(crate) fn build(accounts: u64, seed: u64) -> anyhow::Result<Self> {
        let clock: SharedClock = Arc::new(SystemClock);
        let accounts = (0..accounts)
            .map(|n| AccountId::new(n.to_string()))
            .collect::<Result<Vec<_>, _>>()?;
        let channel = Arc::new(Channel::new(&accounts, seed, clock.clone()));
        let tally = Arc::new(Tally::default());
        let recent = Arc::new(Recent::new(Arc::clone(&clock)));

        let dead_letter = MemoryQueue::builder("dead-letter", clock.clone()).build();
        let queue = |name| {
            MemoryQueue::builder(name, clock.clone())
                .dead_letter(dead_letter.clone(), 3)
                .build()
        };
        let (work, completed) = (queue("work"), queue("completed"));

        let id: ChannelId = "simulated".parse()?;
        let store = Arc::new(MemoryStore::new(SlotRing::SECONDS, clock.now_ms()));
        let scheduled = ScheduledChannel::builder(id.clone(), store)
            .job_type("posts".parse()?, rules()?, work.clone())
            .completed(completed.clone())
            .dead_letter(dead_letter)
            .limits(Limits {
                receive_wait: Duration::from_millis(200),
                ..Limits::of_seconds()
            })
            .build()?;
        let scheduler = Scheduler::builder()
            .channel(scheduled)
            .observer(both(tally.clone(), recent.clone()))
            .build();
        let registry = scheduler
            .registry(&id)
            .context("the channel was just added")?;
        Ok(Self {
            channel,
            arrivals: Mutex::default(),
            bus: MemoryBus::new(),
            topic: Topic::new("posts")?,
            tally,
            recent,
            registry,
            accounts,
            clock,
            work,
            completed,
            scheduler: Mutex::new(Some(scheduler)),
        })
    }

    /// One job for each account; every third pays for gold.
    pub(crate) async fn register_all(&self) -> anyhow::Result<()> {
        let posts: JobType = "posts".parse()?;
        for (n, account) in self.accounts.iter().enumerate() {
            let level = ServiceLevel::new(if n % 3 == 0 { "gold" } else { "basic" })?;
            let registration = Registration {
                level: Some(level),
                ..Registration::new(posts.clone(), account.clone())
            };
            self.registry.register(registration).await?;
        }
        Ok(())
    }

    /// Runs scheduler and worker for `length`, or until ctrl-c; then lets what is in flight end.
    pub(crate) async fn run(
        &self,
        length: Duration,
        console: Option<Console>,
        view: &mut View,
    ) -> anyhow::Result<Duration> {
        let scheduler = self
            .scheduler
            .lock()
            .ok()
            .and_then(|mut scheduler| scheduler.take());
        let scheduler = scheduler.context("the stage runs once")?;
        let (stop_worker, worker_stopped) = watch::channel(false);
        let (stop_scheduler, scheduler_stopped) = watch::channel(false);
        let stop_console = CancellationToken::new();
        if let Some(console) = console {
            let (clock, recent) = (Arc::clone(&self.clock), Arc::clone(&self.recent));
            console.serve(&scheduler, clock, recent, stop_console.clone());
        }
        let _stops_with_it = stop_console.drop_guard();
        let worker = tokio::spawn(self.worker()?.run(signalled(worker_stopped)));
        let scheduling = tokio::spawn(scheduler.run(signalled(scheduler_stopped)));

        let began = Instant::now();
        self.show(began, length, view).await?;
        stop_worker.send(true)?;
        let report = worker.await?;
        anyhow::ensure!(
            report.bugs == 0 && report.flushed,
            "the worker did not end cleanly: {report:?}"
        );
        self.consume()?;
        self.settle_last().await?;
        stop_scheduler.send(true)?;
        scheduling.await?;
        Ok(began.elapsed())
    }

    fn worker(&self) -> anyhow::Result<Worker> {
        let poller = PostsPoller {
            channel: self.channel.clone(),
            topic: self.topic.clone(),
            clock: self.clock.clone(),
            tally: self.tally.clone(),
        };
        let config = WorkerConfig {
            name: "quickstart".to_owned(),
            poll_timeout: Duration::from_secs(5),
            publish_timeout: Duration::from_secs(10),
            complete_timeout: Duration::from_secs(2),
            ..WorkerConfig::default()
        };
        let worker = Worker::builder()
            .work(self.work.clone())
            .completed(self.completed.clone())
            .bus(Arc::new(self.bus.clone()))
            .observer(self.tally.clone())
            .config(config)
            .poller(poller)
            .build()?;
        Ok(worker)
    }

    async fn show(&self, began: Instant, length: Duration, view: &mut View) -> anyhow::Result<()> {
        let mut frames = interval(FRAME);
        while began.elapsed() < length {
            tokio::select! {
                biased;
                _ = tokio::signal::ctrl_c() => break,
                _ = frames.tick() => {
                    self.consume()?;
                    view.draw(&self.snapshot(began.elapsed()).await?);
                }
            }
        }
        Ok(())
    }

    /// Takes what is on the bus, as any consumer would: a full bus makes the worker wait.
    fn consume(&self) -> anyhow::Result<()> {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.take(self.bus.take(&self.topic))
    }

    async fn snapshot(&self, elapsed: Duration) -> anyhow::Result<Snapshot> {
        let counts = self.registry.counts().await?;
        let (work, completed) = (self.work.stats().await?, self.completed.stats().await?);
        Ok(Snapshot {
            elapsed,
            tally: self.tally.read(),
            jobs: counts,
            queued: work.visible,
            polling: work.in_flight,
            completed: completed.visible + completed.in_flight,
        })
    }

    /// Waits until every stored completion is settled.
    async fn settle_last(&self) -> anyhow::Result<()> {
        let settled = async {
            loop {
                let stats = self.completed.stats().await?;
                if stats.visible + stats.in_flight == 0 {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(LAST_SETTLES, settled)
            .await
            .context("the last completions were not settled in time")?
    }
}

/// The scheduler tells one observer: this tells two.
fn both(tally: Arc<Tally>, recent: Arc<Recent>) -> SharedObserver {
    Arc::new(move |seen: Observation<'_>| {
        tally.observe(seen);
        recent.observe(seen);
    })
}

/// Resolves when told to stop.
async fn signalled(mut stop: watch::Receiver<bool>) {
    // An error means that nobody is left to tell, which means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn rules() -> anyhow::Result<JobTypeRules> {
    let secs = Duration::from_secs;
    let mut rules = JobTypeRules::every(secs(5));
    rules
        .levels
        .insert(ServiceLevel::new("gold")?, LevelRules::every(secs(2)));
    rules.cushion = Cushion::Calls(1);
    let soon = ErrorRule::Backoff(Backoff {
        base: secs(1),
        max: secs(10),
    });
    for class in polling_core::ErrorClass::ALL {
        if class != polling_core::ErrorClass::Gone {
            rules.errors.insert(class, soon);
        }
    }
    Ok(rules)
}

/// The part that a channel author writes.
#[derive(Debug)]
struct PostsPoller {
    channel: Arc<Channel>,
    topic: Topic,
    clock: SharedClock,
    tally: Arc<Tally>,
}

impl Poller for PostsPoller {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        self.tally.late(self.clock.now_ms() - job.due_ms);
        let mut context = job.context.clone();
        let since_id = context.get_i64("since_id").unwrap_or(0);
        let page = self.channel.posts(&job.account, since_id).await?;
        if let Some(newest) = page.posts.last() {
            context.insert("since_id", newest.id);
        }
        let event = |post: &crate::accounts::Post| {
            let payload = format!("{{\"account\":\"{}\",\"id\":{}}}", job.account, post.id);
            Event::new(
                self.topic.clone(),
                post.id.to_string(),
                payload,
                post.created_ms,
            )
        };
        let events: Vec<_> = page.posts.iter().map(event).collect();
        Ok(Polled::new(context)
            .with_events(events)
            .with_allowance(page.allowance)
            .with_saturated(page.more))
    }
}
