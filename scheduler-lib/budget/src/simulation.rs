//! The run under simulated time: the production scheduler and worker over adapters in memory.

use std::{sync::Arc, time::Duration};

use polling_core::WorkerConfig;
use polling_model::{Generator, SharedClock};
use polling_transport::{
    SharedQueue, TokioClock,
    memory::{MemoryBus, MemoryQueue},
};
use scheduler_lib::{Limits, MemoryStore, ledger::MemoryLedger};

use crate::{
    cast,
    channel::Channel,
    meter::Meter,
    run::{Bounds, Ports, Run, registry},
    scenario::Scenario,
};

/// How long a message stays with the worker that received it.
const VISIBILITY: Duration = Duration::from_secs(30);

/// How often schedulers look at the slots, which are sixty times as long. A longer tick simulates
/// faster.
const TICK: Duration = Duration::from_secs(1);

/// Runs a scenario, and tells `progress` after each slot how many have passed. The same scenario
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
    runtime.block_on(async {
        let clock: SharedClock = Arc::new(TokioClock::starting_at(scenario.start_ms));
        let ports = ports(scenario, &clock);
        let bounds = bounds(scenario);
        let registry = registry(scenario, Arc::clone(&clock), &bounds.limits, &ports);
        let registered = cast::register(scenario, &registry).await;
        registered.expect("memory takes every job");
        let run = Run {
            channel: Arc::new(Channel::new(scenario, clock.clone(), ports.store.clone())),
            scenario: scenario.clone(),
            clock,
            bounds,
            topic: None,
        };
        let replicas = scenario.schedulers + scenario.workers;
        run.play(&vec![ports; replicas as usize], progress).await;
        run.channel.meter()
    })
}

fn bounds(scenario: &Scenario) -> Bounds {
    Bounds {
        limits: Limits {
            tick: TICK,
            ..Limits::default()
        },
        worker: WorkerConfig {
            concurrency: scenario.concurrency,
            replicas: scenario.workers as u32,
            rate_limit_wait: scenario.slot(),
            ..WorkerConfig::default()
        },
    }
}

/// What all replicas share.
fn ports(scenario: &Scenario, clock: &SharedClock) -> Ports {
    let dead_letter = MemoryQueue::builder("dead-letter", clock.clone()).build();
    let redriven = |name| -> SharedQueue {
        MemoryQueue::builder(name, clock.clone())
            .visibility_timeout(VISIBILITY)
            .max_receive_batch(10)
            .dead_letter(Arc::clone(&dead_letter), Limits::default().max_receives)
            .build()
    };
    let (work, completed) = (redriven("work"), redriven("completed"));
    let store = MemoryStore::new(scenario.ring, scenario.start_ms)
        .generator(Generator::from_seed(scenario.seed ^ 0xed17));
    Ports {
        store: Arc::new(store),
        ledger: Arc::new(MemoryLedger::new()),
        work,
        completed,
        dead_letter,
        bus: Arc::new(MemoryBus::new()),
    }
}
