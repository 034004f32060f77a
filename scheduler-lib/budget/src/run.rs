//! A run, wherever its queues and stores are.

use std::{sync::Arc, time::Duration};

use polling_core::{
    Worker, WorkerConfig,
    rate_limit::{Quota, Scope},
};
use polling_model::{Generator, SharedClock, Topic};
use polling_transport::{SharedBus, SharedQueue};
use scheduler_lib::{Limits, Registry, Scheduler, SharedStore, ledger::SharedLedger};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    cast::{self, ChannelPoller},
    channel::Channel,
    scenario::Scenario,
};

/// What one replica of a scheduler or a worker is connected to.
#[derive(Debug, Clone)]
pub(crate) struct Ports {
    pub(crate) store: SharedStore,
    pub(crate) ledger: SharedLedger,
    pub(crate) work: SharedQueue,
    pub(crate) completed: SharedQueue,
    pub(crate) dead_letter: SharedQueue,
    pub(crate) bus: SharedBus,
}

/// Everybody's bounds and deadlines.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) limits: Limits,
    pub(crate) worker: WorkerConfig,
}

/// A run that is ready.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) scenario: Scenario,
    pub(crate) clock: SharedClock,
    pub(crate) bounds: Bounds,
    /// Where polls tell what they found, if they find anything.
    pub(crate) topic: Option<Topic>,
    pub(crate) channel: Arc<Channel>,
}

/// A scheduler, the `number`th of its run.
pub(crate) fn scheduler(
    scenario: &Scenario,
    clock: SharedClock,
    limits: &Limits,
    ports: &Ports,
    number: u64,
) -> Scheduler {
    let channel = scheduler_lib::Channel::builder(scenario.channel.clone(), ports.store.clone())
        .job_type(cast::job_type(), cast::rules(scenario), ports.work.clone())
        .completed(ports.completed.clone())
        .dead_letter(ports.dead_letter.clone())
        .ledger(ports.ledger.clone())
        .limits(limits.clone())
        .build()
        .expect("the scenario is within the bounds of a channel");
    Scheduler::builder()
        .channel(channel)
        .clock(clock)
        .generator(generator(scenario, "scheduler", number))
        .build()
}

/// Registrations as the service that owns the accounts makes them.
pub(crate) fn registry(
    scenario: &Scenario,
    clock: SharedClock,
    limits: &Limits,
    ports: &Ports,
) -> Registry {
    let scheduler = scheduler(scenario, clock, limits, ports, u64::MAX);
    let registry = scheduler.registry(&scenario.channel);
    registry.expect("the scheduler has the channel")
}

/// Of a replica's own.
fn generator(scenario: &Scenario, of: &str, number: u64) -> Generator {
    let salt = of.bytes().fold(number, |salt, byte| {
        salt.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    });
    Generator::from_seed(scenario.seed ^ salt)
}

impl Run {
    /// Runs every replica and the other product until the scenario's end, and tells `progress`
    /// after each slot how many have passed. What is given is taken by schedulers first, then by
    /// workers.
    pub(crate) async fn play(&self, ports: &[Ports], progress: impl Fn(u64)) {
        let (schedulers, workers) = ports.split_at(self.scenario.schedulers as usize);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        for (number, ports) in (0..).zip(schedulers) {
            let scheduler = scheduler(
                &self.scenario,
                Arc::clone(&self.clock),
                &self.bounds.limits,
                ports,
                number,
            );
            tasks.spawn(scheduler.run(stop.clone().cancelled_owned()));
        }
        for (number, ports) in (0..).zip(workers) {
            let (worker, stopped) = (self.worker(ports, number), stop.clone().cancelled_owned());
            tasks.spawn(async move {
                worker.run(stopped).await;
            });
        }
        let spending = cast::spend(
            self.scenario.clone(),
            Arc::clone(&self.channel),
            Arc::clone(&self.clock),
        );
        let spending = tokio::spawn(spending);
        self.wait(progress).await;
        spending.abort();
        stop.cancel();
        while tasks.join_next().await.is_some() {}
    }

    async fn wait(&self, progress: impl Fn(u64)) {
        let (width_ms, start_ms) = (self.scenario.ring.width_ms(), self.scenario.start_ms);
        for slot in 1..=self.scenario.slots() {
            let ends_ms = start_ms + slot as i64 * width_ms;
            let left_ms = (ends_ms - self.clock.now_ms()).max(0);
            sleep(Duration::from_millis(left_ms.unsigned_abs())).await;
            progress(slot);
        }
    }

    fn worker(&self, ports: &Ports, number: u64) -> Worker {
        let pace = Quota::per_second(self.scenario.paced_per_s());
        Worker::builder()
            .pace(Scope::app(), pace)
            .work(ports.work.clone())
            .completed(ports.completed.clone())
            .bus(ports.bus.clone())
            .config(self.bounds.worker.clone())
            .generator(generator(&self.scenario, "worker", number))
            .clock(Arc::clone(&self.clock))
            .poller(ChannelPoller {
                channel: Arc::clone(&self.channel),
                clock: Arc::clone(&self.clock),
                generator: generator(&self.scenario, "calls", number),
                call_ms: self.scenario.call_ms.clone(),
                topic: self.topic.clone(),
            })
            .build()
            .expect("the scenario is within the bounds of a worker")
    }
}
