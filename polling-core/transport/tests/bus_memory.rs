//! The event bus in memory: the port's conformance suite, and what is its own.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of tests may panic as a test may"
)]

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use polling_model::{EventEnvelope, Topic};
use polling_transport::{
    BusErrorKind, EventBus,
    conformance::bus::{BUFFER, BusUnderTest},
    memory::MemoryBus,
};
use tokio::time::Instant;

fn topic(name: &str) -> Topic {
    name.parse().unwrap()
}

async fn fresh() -> BusUnderTest {
    let bus = MemoryBus::builder()
        .capacity(BUFFER)
        .topics([topic("posts")])
        .build();
    BusUnderTest {
        bus: Arc::new(bus.clone()),
        reader: Box::new(bus),
        topic: topic("posts"),
        missing_topic: Some(topic("missing")),
    }
}

polling_transport::bus_conformance! {
    #[tokio::test(start_paused = true)]
    fresh
}

fn events(count: usize) -> Vec<EventEnvelope> {
    polling_transport::conformance::bus::events(&topic("posts"), 0..count)
}

#[tokio::test(start_paused = true)]
async fn a_full_bus_gives_up_after_its_deadline() {
    let deadline = Duration::from_secs(5);
    let bus = MemoryBus::builder().capacity(2).deadline(deadline).build();
    let started = Instant::now();
    let reports = bus.publish(events(3)).await.await;
    assert_eq!(started.elapsed(), deadline);
    assert!(reports[0].is_ok() && reports[1].is_ok());
    let error = reports[2].as_ref().unwrap_err();
    assert_eq!(error.kind, BusErrorKind::Timeout);
    assert_eq!(bus.take(&topic("posts")), events(2));
}

#[tokio::test(start_paused = true)]
async fn consuming_makes_room() {
    let bus = MemoryBus::builder().capacity(2).build();
    let mut publish = bus.publish(events(5));
    assert!((&mut publish).now_or_never().is_none());
    assert_eq!(bus.drain()[&topic("posts")], events(2));
    assert!((&mut publish).now_or_never().is_none());
    assert_eq!(bus.take(&topic("posts")).len(), 2);
    let reports = publish.await.await;
    assert!(reports.iter().all(Result::is_ok));
    assert_eq!(bus.events(&topic("posts")), events(5)[4..]);
}

#[tokio::test(start_paused = true)]
async fn events_that_fail_take_no_room() {
    let bus = MemoryBus::builder().capacity(2).build();
    bus.fail_next(100, BusErrorKind::Unreachable);
    let reports = bus.publish(events(100)).await.await;
    let unreachable = |error: &polling_transport::BusError| error.kind == BusErrorKind::Unreachable;
    assert!(reports.iter().all(|r| r.as_ref().is_err_and(unreachable)));
    let reports = bus.publish(events(2)).await.now_or_never().unwrap();
    assert!(reports.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_deliveries_and_flush_until_it_ends() {
    let bus = MemoryBus::new();
    bus.pause();
    let mut deliveries = bus.publish(events(3)).await;
    assert!((&mut deliveries).now_or_never().is_none());
    assert!(bus.events(&topic("posts")).is_empty());
    let error = bus.flush(Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.kind, BusErrorKind::Timeout);
    assert_eq!(error.topic, topic("posts"));

    let flush = bus.flush(Duration::from_secs(1));
    let resume = async { bus.resume() };
    let (flushed, ()) = tokio::join!(flush, resume);
    flushed.unwrap();
    let reports = deliveries.now_or_never().unwrap();
    assert!(reports.iter().all(Result::is_ok));
    assert_eq!(bus.events(&topic("posts")), events(3));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_timed_out_leaves_the_outcome_open() {
    let bus = MemoryBus::builder()
        .deadline(Duration::from_secs(5))
        .build();
    bus.pause();
    let reports = bus.publish(events(1)).await.await;
    assert_eq!(reports[0].as_ref().unwrap_err().kind, BusErrorKind::Timeout);
    bus.resume();
    assert_eq!(bus.take(&topic("posts")), events(1));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_waits_for_the_first_event() {
    let bus = MemoryBus::new();
    let other = bus.clone();
    let publish = async move { other.publish(events(3)).await.await };
    let name = topic("posts");
    let (received, reports) = tokio::join!(bus.receive(&name, 2), publish);
    assert!(reports.iter().all(Result::is_ok));
    assert_eq!(received, events(2));
    assert_eq!(bus.receive(&topic("posts"), 2).await, events(3)[2..]);
}
