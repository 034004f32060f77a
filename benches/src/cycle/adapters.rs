//! All ports in memory.

use std::{sync::Arc, time::Duration};

use polling_model::{SharedClock, SlotRing, SystemClock, Topic};
use polling_transport::memory::{MemoryBus, MemoryQueue};
use scheduler_lib::{MemoryStore, ledger::MemoryLedger};
use tokio::time::sleep;

use super::Ports;

/// Messages that a queue may hold, more than jobs.
const CAPACITY: usize = 10_000_000;

/// Events that the bus holds until its consumer takes them.
const BUS_CAPACITY: usize = 1_000_000;

/// How often the bus's consumer takes what is there.
const CONSUME_EVERY: Duration = Duration::from_millis(5);

/// Ports in memory. What is published is taken off the bus by a consumer.
#[must_use]
pub fn in_process(topic: &Topic) -> Ports {
    let clock: SharedClock = Arc::new(SystemClock);
    let queue = |name: &str| {
        MemoryQueue::builder(name, Arc::clone(&clock))
            .capacity(CAPACITY)
            .visibility_timeout(Duration::from_secs(60))
            .build()
    };
    let bus = MemoryBus::builder().capacity(BUS_CAPACITY).build();
    tokio::spawn(consume(bus.clone(), topic.clone()));
    Ports {
        store: Arc::new(MemoryStore::new(SlotRing::SECONDS, clock.now_ms())),
        ledger: Arc::new(MemoryLedger::new()),
        work: queue("work"),
        completed: queue("completed"),
        dead_letter: queue("dead-letter"),
        bus: Arc::new(bus),
    }
}

async fn consume(bus: MemoryBus, topic: Topic) {
    loop {
        drop(bus.take(&topic));
        sleep(CONSUME_EVERY).await;
    }
}
