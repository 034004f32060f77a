//! The run under simulated time: the production scheduler and worker over adapters in memory.

use std::{sync::Arc, time::Duration};

use polling_core::{Worker, WorkerConfig};
use polling_model::{Generator, SharedClock};
use polling_transport::{
    SharedQueue, TokioClock,
    memory::{MemoryBus, MemoryQueue},
};
use scheduler_lib::{Limits, MemoryStore, Scheduler};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    cast::{self, ChannelPoller},
    channel::Channel,
    meter::Meter,
    scenario::Scenario,
};

/// How long a message stays with the worker that received it.
const VISIBILITY: Duration = Duration::from_secs(30);

/// How often schedulers look at the slots, which are sixty times as long. A longer tick simulates
/// faster.
const TICK: Duration = Duration::from_secs(1);

/// Runs a scenario, and tells `progress` after each window how many have passed. The same scenario
/// gives the same run.
///
/// # Panics
///
/// When the scenario is outside the bounds of a scheduler or a worker, or the operating system
/// cannot give what a runtime needs.
#[must_use]
pub fn simulate(scenario: &Scenario, progress: impl Fn(u64)) -> Meter {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without threads and sockets needs nothing");
    runtime.block_on(run(scenario, progress))
}

async fn run(scenario: &Scenario, progress: impl Fn(u64)) -> Meter {
    let stage = Stage::new(scenario);
    let stop = CancellationToken::new();
    let registry = stage.scheduler(0).registry(&cast::channel_id());
    let registry = registry.expect("the scheduler has the channel");
    cast::register(scenario, &registry).await;
    for number in 0..scenario.schedulers {
        tokio::spawn(stage.scheduler(number).run(stop.clone().cancelled_owned()));
    }
    for number in 0..scenario.workers {
        let (worker, stopped) = (stage.worker(number), stop.clone().cancelled_owned());
        tokio::spawn(async move { worker.run(stopped).await });
    }
    tokio::spawn(cast::spend(
        scenario.clone(),
        Arc::clone(&stage.channel),
        stage.clock.clone(),
    ));
    for window in 1..=scenario.windows {
        let ends_ms = scenario.start_ms() + window as i64 * scenario.window_ms;
        let left_ms = ends_ms - stage.clock.now_ms();
        sleep(Duration::from_millis(left_ms.max(0).unsigned_abs())).await;
        progress(window);
    }
    // What is under way is dropped with the runtime: the run has ended.
    stage.channel.meter()
}

/// What all replicas share.
struct Stage {
    scenario: Scenario,
    clock: SharedClock,
    store: Arc<MemoryStore>,
    work: SharedQueue,
    completed: SharedQueue,
    dead_letter: SharedQueue,
    bus: Arc<MemoryBus>,
    channel: Arc<Channel>,
}

impl Stage {
    /// Call it within the run's runtime.
    fn new(scenario: &Scenario) -> Self {
        let clock: SharedClock = Arc::new(TokioClock::starting_at(scenario.start_ms()));
        let dead_letter = MemoryQueue::builder("dead-letter", clock.clone()).build();
        let redriven = |name| -> SharedQueue {
            MemoryQueue::builder(name, clock.clone())
                .visibility_timeout(VISIBILITY)
                .max_receive_batch(10)
                .dead_letter(Arc::clone(&dead_letter), Limits::default().max_receives)
                .build()
        };
        let (work, completed) = (redriven("work"), redriven("completed"));
        let queues = [Arc::clone(&work), Arc::clone(&completed)];
        let store = MemoryStore::new(scenario.ring, scenario.start_ms())
            .generator(Generator::from_seed(scenario.seed ^ 0xed17));
        Self {
            channel: Arc::new(Channel::new(scenario, clock.clone(), queues)),
            scenario: scenario.clone(),
            store: Arc::new(store),
            work,
            completed,
            dead_letter,
            bus: Arc::new(MemoryBus::new()),
            clock,
        }
    }

    fn generator(&self, of: &str, number: u64) -> Generator {
        let salt = of.bytes().fold(number + 1, |salt, byte| {
            salt.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
        });
        Generator::from_seed(self.scenario.seed ^ salt)
    }

    fn scheduler(&self, number: u64) -> Scheduler {
        let channel = scheduler_lib::Channel::builder(cast::channel_id(), self.store.clone())
            .job_type(
                cast::job_type(),
                cast::rules(&self.scenario),
                self.work.clone(),
            )
            .completed(self.completed.clone())
            .dead_letter(self.dead_letter.clone())
            .limits(Limits {
                tick: TICK,
                ..Limits::default()
            })
            .build()
            .expect("the scenario is within the bounds of a channel");
        Scheduler::builder()
            .channel(channel)
            .clock(self.clock.clone())
            .generator(self.generator("scheduler", number))
            .build()
    }

    fn worker(&self, number: u64) -> Worker {
        let config = WorkerConfig {
            concurrency: self.scenario.concurrency,
            ..WorkerConfig::default()
        };
        Worker::builder()
            .work(self.work.clone())
            .completed(self.completed.clone())
            .bus(self.bus.clone())
            .config(config)
            .generator(self.generator("worker", number))
            .clock(self.clock.clone())
            .poller(ChannelPoller {
                channel: Arc::clone(&self.channel),
                clock: self.clock.clone(),
                generator: self.generator("calls", number),
                call_ms: self.scenario.call_ms.clone(),
            })
            .build()
            .expect("the scenario is within the bounds of a worker")
    }
}
