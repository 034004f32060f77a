//! The bus is away for a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::FutureExt;
use polling_core::{
    BusError, Deliveries, EventBus, EventEnvelope, Queue, Topic, poller_fn,
    transport::{BusErrorKind, memory::MemoryBus},
};
use tokio::time::sleep;

use crate::support::{Rig, polled, topic};

/// A bus that can be away.
#[derive(Debug)]
struct Flaky {
    inner: MemoryBus,
    away: AtomicBool,
}

impl Flaky {
    fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EventBus for Flaky {
    async fn publish(&self, batch: Vec<EventEnvelope>) -> Deliveries {
        if !self.is_away() {
            return self.inner.publish(batch).await;
        }
        let unreachable = |event: EventEnvelope| {
            let kind = BusErrorKind::Unreachable;
            Err(BusError::new(event.topic, kind))
        };
        let reports: Vec<_> = batch.into_iter().map(unreachable).collect();
        async { reports }.boxed()
    }

    async fn flush(&self, deadline: Duration) -> Result<(), BusError> {
        self.inner.flush(deadline).await
    }

    async fn check_topic(&self, topic: &Topic) -> Result<(), BusError> {
        if self.is_away() {
            return Err(BusError::new(topic.clone(), BusErrorKind::Unreachable));
        }
        self.inner.check_topic(topic).await
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_wait_in_their_queue_while_the_bus_is_away_and_none_is_a_dead_letter() {
    const OUTAGE: Duration = Duration::from_secs(300);
    let rig = Rig::new();
    let bus = Arc::new(Flaky {
        inner: rig.bus.clone(),
        away: AtomicBool::new(true),
    });
    rig.send(0..100).await;
    let poller = poller_fn(|_| async { Ok(polled(1)) });
    let worker = rig.worker().bus(bus.clone()).poller(poller);
    let returning = async {
        sleep(OUTAGE).await;
        bus.away.store(false, Ordering::Relaxed);
        sleep(Duration::from_secs(60)).await;
    };
    let report = worker.build().unwrap().run(returning).await;
    rig.work.inner.stats().await.unwrap();
    assert_eq!(rig.dead.messages().len(), 0);
    assert_eq!(rig.completions().len(), 100);
    assert_eq!(rig.bus.take(&topic()).len(), 100);
    assert!(report.bugs < 100, "only those under way: {}", report.bugs);
}
