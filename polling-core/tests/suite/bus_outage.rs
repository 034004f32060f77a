//! The bus is away for a time.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::FutureExt;
use polling_core::{
    BusError, Deliveries, EventBus, EventEnvelope, Queue, Topic, WorkerConfig, caps, poller_fn,
    transport::{BusErrorKind, memory::MemoryBus},
};
use tokio::time::sleep;

use crate::support::{Rig, polled, topic};

/// How long it takes until an event is known not to be delivered.
const LOST_AFTER: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    Away,
    /// It answers questions, and takes no events yet.
    Starting,
}

/// A bus that can be away.
#[derive(Debug)]
struct Flaky {
    inner: MemoryBus,
    state: Mutex<State>,
    /// Batches that it did not take while it started.
    refused: AtomicUsize,
}

impl Flaky {
    fn new(rig: &Rig, state: State) -> Arc<Self> {
        Arc::new(Self {
            inner: rig.bus.clone(),
            state: Mutex::new(state),
            refused: AtomicUsize::new(0),
        })
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap()
    }

    async fn becomes(&self, state: State, after: Duration) {
        sleep(after).await;
        *self.state.lock().unwrap() = state;
    }

    fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EventBus for Flaky {
    async fn publish(&self, batch: Vec<EventEnvelope>) -> Deliveries {
        let (kind, reported) = match self.state() {
            State::Up => return self.inner.publish(batch).await,
            State::Away => (BusErrorKind::Unreachable, Duration::ZERO),
            State::Starting => (BusErrorKind::Timeout, LOST_AFTER),
        };
        if reported > Duration::ZERO {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        let lost = |event: EventEnvelope| Err(BusError::new(event.topic, kind));
        let reports: Vec<_> = batch.into_iter().map(lost).collect();
        sleep(reported).map(|()| reports).boxed()
    }

    async fn flush(&self, deadline: Duration) -> Result<(), BusError> {
        self.inner.flush(deadline).await
    }

    async fn check_topic(&self, topic: &Topic) -> Result<(), BusError> {
        if self.state() == State::Away {
            return Err(BusError::new(topic.clone(), BusErrorKind::Unreachable));
        }
        self.inner.check_topic(topic).await
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_wait_in_their_queue_while_the_bus_is_away_and_none_is_a_dead_letter() {
    let rig = Rig::new();
    let bus = Flaky::new(&rig, State::Away);
    rig.send(0..100).await;
    let poller = poller_fn(|_| async { Ok(polled(1)) });
    let worker = rig.worker().bus(bus.clone()).poller(poller);
    let returning = async {
        bus.becomes(State::Up, Duration::from_secs(300)).await;
        sleep(Duration::from_secs(60)).await;
    };
    let report = worker.build().unwrap().run(returning).await;
    rig.work.inner.stats().await.unwrap();
    assert_eq!(rig.dead.messages().len(), 0);
    assert_eq!(rig.completions().len(), 100);
    assert_eq!(rig.bus.take(&topic()).len(), 100);
    assert!(report.bugs < 100, "only those under way: {}", report.bugs);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_answers_before_it_takes_events_costs_one_job_at_a_time() {
    let rig = Rig::new();
    let bus = Flaky::new(&rig, State::Away);
    rig.send(0..100).await;
    let poller = poller_fn(|_| async { Ok(polled(1)) });
    let worker = rig.worker().bus(bus.clone()).poller(poller);
    let starting = Duration::from_secs(60);
    let returning = async {
        bus.becomes(State::Starting, Duration::from_secs(60)).await;
        bus.becomes(State::Up, starting).await;
        sleep(Duration::from_secs(60)).await;
    };
    worker.build().unwrap().run(returning).await;
    let most = 1 + starting.div_duration_f64(LOST_AFTER) as usize;
    assert!((1..=most).contains(&bus.refused()), "{}", bus.refused());
    assert_eq!(rig.completions().len(), 100);
    assert_eq!(rig.bus.take(&topic()).len(), 100);
}

/// Jobs without events tell nothing about the bus, but they must not wait for one with events.
#[tokio::test(start_paused = true)]
async fn jobs_without_events_go_on_one_at_a_time_and_together_after_a_while() {
    const POLL: Duration = Duration::from_secs(1);
    let rig = Rig::new();
    let bus = Flaky::new(&rig, State::Away);
    rig.send(0..200).await;
    let first = Arc::new(AtomicUsize::new(1));
    let poller = poller_fn(move |_| {
        let events = first.swap(0, Ordering::Relaxed);
        async move {
            sleep(POLL).await;
            Ok(polled(events))
        }
    });
    let config = WorkerConfig {
        concurrency: 20,
        ..WorkerConfig::default()
    };
    let worker = rig.worker().config(config).bus(bus.clone());
    let worker = worker.poller(poller);
    let trials = caps::BUS_TRIALS as usize;
    let returning = async {
        bus.becomes(State::Up, Duration::from_secs(30)).await;
        sleep(POLL * caps::BUS_TRIALS / 2).await;
        let early = rig.completions().len();
        sleep(POLL * caps::BUS_TRIALS).await;
        assert!(early < 20 + trials, "one at a time: {early}");
    };
    worker.build().unwrap().run(returning).await;
    assert_eq!(rig.completions().len(), 200);
}
