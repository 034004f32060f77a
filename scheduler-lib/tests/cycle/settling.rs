//! What settling takes up besides the completion, and what it tells.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use polling_model::{
    AccountId, Context, ErrorClass, Failure, Generator, Job, JobId, JobType, Observation, Outcome,
    ServiceLevel, SharedClock, SlotRing, wire,
};
use polling_transport::{Queue, TokioClock, memory::MemoryQueue};
use scheduler_lib::{
    Channel, LevelsError, MemoryStore, Monitor, Registration, Registry, Scheduler, ServiceLevels,
    policy::{JobTypeRules, LevelRules},
    store::{Hold, JobState, Place},
};
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

use crate::bench::{INTERVAL, completion, succeeded};

const START_MS: i64 = 1_700_000_040_000;
const GOLD_INTERVAL: Duration = Duration::from_secs(60);

/// One level for all accounts, which may change.
#[derive(Debug, Default)]
struct Level(Mutex<Option<ServiceLevel>>);

#[async_trait]
impl ServiceLevels for Level {
    async fn levels_of(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<Option<ServiceLevel>>, LevelsError> {
        Ok(vec![self.0.lock().unwrap().clone(); accounts.len()])
    }
}

impl Level {
    fn set(&self, level: &str) {
        *self.0.lock().unwrap() = Some(level.parse().unwrap());
    }
}

/// Store and queues, which outlive schedulers.
struct Scene {
    clock: SharedClock,
    store: Arc<MemoryStore>,
    work: Arc<MemoryQueue>,
    completed: Arc<MemoryQueue>,
    level: Arc<Level>,
    told: Arc<Mutex<Vec<String>>>,
}

/// A scheduler that runs.
struct Running {
    registry: Registry,
    monitor: Monitor,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Scene {
    fn new() -> Self {
        let clock: SharedClock = Arc::new(TokioClock::starting_at(START_MS));
        let queue = |name| MemoryQueue::builder(name, clock.clone()).build();
        Self {
            store: Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS)),
            work: queue("work"),
            completed: queue("completed"),
            level: Arc::default(),
            told: Arc::default(),
            clock,
        }
    }

    fn run(&self, job_types: &[&str]) -> Running {
        let mut rules = JobTypeRules::every(INTERVAL);
        let gold = LevelRules::every(GOLD_INTERVAL);
        rules.levels.insert("gold".parse().unwrap(), gold);
        let mut channel = Channel::builder("mastodon".parse().unwrap(), self.store.clone())
            .completed(self.completed.clone())
            .dead_letter(MemoryQueue::builder("dead", self.clock.clone()).build())
            .levels(self.level.clone());
        for job_type in job_types {
            let job_type: JobType = job_type.parse().unwrap();
            channel = channel.job_type(job_type, rules.clone(), self.work.clone());
        }
        let told = self.told.clone();
        let observer = move |observation: Observation<'_>| match observation {
            Observation::Settled {
                verdict, outcome, ..
            } => {
                told.lock().unwrap().push(format!("{verdict} {outcome}"));
            }
            Observation::Held { jobs, hold, .. } => {
                told.lock().unwrap().push(format!("{jobs} {hold}"));
            }
            _ => {}
        };
        let scheduler = Scheduler::builder()
            .channel(channel.build().unwrap())
            .clock(self.clock.clone())
            .generator(Generator::from_seed(7))
            .observer(Arc::new(observer))
            .build();
        let registry = scheduler.registry(&"mastodon".parse().unwrap()).unwrap();
        let monitor = scheduler.monitor();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(scheduler.run(async { stopped.await.unwrap_or(()) }));
        Running {
            registry,
            monitor,
            stop,
            task,
        }
    }

    /// Takes the next job from the work queue for good.
    async fn receive(&self) -> Job {
        loop {
            let received = self.work.receive(1, Duration::from_secs(20)).await.unwrap();
            if let Some(message) = received.first() {
                self.work.ack(&message.receipt).await.unwrap();
                return wire::decode_job(message.body.as_bytes()).unwrap();
            }
        }
    }

    /// Completes and waits until it is settled.
    async fn complete(&self, job: &Job, outcome: Outcome<Context>) {
        assert_eq!(
            self.completed.send(vec![completion(job, outcome)]).await,
            [Ok(())]
        );
        while !self.completed.messages().is_empty() {
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

impl Running {
    async fn register(&self, job_type: &str) -> JobId {
        let registration = Registration::new(job_type.parse().unwrap(), "42".parse().unwrap());
        self.registry.register(registration).await.unwrap().0
    }

    async fn state(&self, id: &JobId) -> JobState {
        self.registry.get(id).await.unwrap().state
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_level_is_taken_up_when_the_job_is_settled() {
    let scene = Scene::new();
    let running = scene.run(&["posts"]);
    let id = running.register("posts").await;
    let job = scene.receive().await;
    scene.level.set("gold");
    scene.complete(&job, succeeded(Context::new())).await;
    let state = running.state(&id).await;
    assert_eq!(state.level.as_str(), "gold");
    assert_eq!(state.due_ms, job.due_ms + 60_000);
    assert_eq!(state.reason(), "every 1m");
}

#[tokio::test(start_paused = true)]
async fn a_level_that_stays_the_same_leaves_the_record_alone() {
    let scene = Scene::new();
    let running = scene.run(&["posts"]);
    let id = running.register("posts").await;
    let before = running.state(&id).await;
    scene.level.set(before.level.as_str());
    let job = scene.receive().await;
    scene.complete(&job, succeeded(Context::new())).await;
    let state = running.state(&id).await;
    assert_eq!(state.revision, before.revision, "nothing was edited");
    assert_eq!(state.due_ms, job.due_ms + 300_000);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_in_its_slot_is_placed_by_its_new_level() {
    let scene = Scene::new();
    let running = scene.run(&["posts"]);
    let id = running.register("posts").await;
    let job = scene.receive().await;
    scene.complete(&job, succeeded(Context::new())).await;
    assert_eq!(running.state(&id).await.place, Place::Slot);
    // A repeat of the completion makes the scheduler look at the account again.
    scene.level.set("gold");
    scene.complete(&job, succeeded(Context::new())).await;
    let state = running.state(&id).await;
    assert_eq!(state.level.as_str(), "gold");
    let ahead_ms = state.due_ms - scene.clock.now_ms();
    assert!((1..=60_000).contains(&ahead_ms), "due in {ahead_ms} ms");
}

#[tokio::test(start_paused = true)]
async fn a_job_in_flight_keeps_its_time_when_its_level_changes() {
    let scene = Scene::new();
    let running = scene.run(&["posts"]);
    let id = running.register("posts").await;
    let first = scene.receive().await;
    scene.complete(&first, succeeded(Context::new())).await;
    let second = scene.receive().await;
    scene.level.set("gold");
    scene.complete(&first, succeeded(Context::new())).await;
    let state = running.state(&id).await;
    assert_eq!(state.level.as_str(), "gold");
    assert!(matches!(state.place, Place::InFlight { .. }));
    assert_eq!(state.due_ms, second.due_ms);
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_type_left_the_configuration_comes_back_after_a_day() {
    let scene = Scene::new();
    let running = scene.run(&["posts", "likes"]);
    let id = running.register("likes").await;
    let job = scene.receive().await;
    running.stop().await;
    let running = scene.run(&["posts"]);
    scene.complete(&job, succeeded(Context::new())).await;
    let state = running.state(&id).await;
    assert_eq!(state.due_ms, job.due_ms + 24 * 3_600_000);
}

#[tokio::test(start_paused = true)]
async fn what_an_open_receive_is_given_is_settled_before_the_end() {
    let scene = Scene::new();
    let running = scene.run(&["posts"]);
    running.register("posts").await;
    let job = scene.receive().await;
    let late = async {
        sleep(Duration::from_millis(100)).await;
        let body = completion(&job, succeeded(Context::new()));
        assert_eq!(scene.completed.send(vec![body]).await, [Ok(())]);
    };
    tokio::join!(running.stop(), late);
    assert!(scene.completed.messages().is_empty());
    assert_eq!(scene.told(), ["accepted ok"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_settled_is_counted_and_told() {
    let scene = Scene::new();
    let running = scene.run(&["posts"]);
    let id = running.register("posts").await;
    let counts = || {
        let status = running.monitor.status().into_values().next().unwrap();
        (status.accepted, status.stale)
    };
    let job = scene.receive().await;
    scene.complete(&job, succeeded(Context::new())).await;
    assert_eq!(
        (counts(), scene.told()),
        ((1, 0), vec!["accepted ok".to_owned()])
    );
    scene.complete(&job, succeeded(Context::new())).await;
    assert_eq!(
        (counts(), scene.told()),
        ((1, 1), vec!["stale ok".to_owned()])
    );
    let job = scene.receive().await;
    let gone = Failure::new(ErrorClass::Gone, "404");
    scene
        .complete(&job, Outcome::Failed { failure: gone })
        .await;
    assert_eq!(counts(), (2, 1));
    assert_eq!(scene.told(), ["1 parked", "accepted gone"]);
    assert_eq!(running.state(&id).await.place, Place::Held(Hold::Parked));
}
