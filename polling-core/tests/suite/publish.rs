use std::{future::ready, sync::Arc, time::Duration};

use futures_util::FutureExt;
use polling_core::{
    ErrorClass, Event, Job, PollError, Polled, PublishError,
    publish::{PublishLayer, PublishLimits, Published},
    transport::{BusErrorKind, memory::MemoryBus},
};
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, service_fn};

use crate::support::{LEFT, Log, NOW_MS, event, job, polled, topic};

const LIMITS: PublishLimits = PublishLimits {
    rate: std::num::NonZeroU32::new(1_000_000).unwrap(),
    burst: std::num::NonZeroU32::new(1_000_000).unwrap(),
    timeout: Duration::from_secs(120),
    reserve: Duration::from_secs(10),
};

/// Publishes what a poll answered.
async fn publish(
    bus: &MemoryBus,
    log: &Log,
    limits: PublishLimits,
    answer: Result<Polled, PollError>,
) -> Result<Published, PublishError> {
    let mut answer = Some(answer);
    PublishLayer::new(Arc::new(bus.clone()), log.observer(), limits)
        .layer(service_fn(move |_: Job| ready(answer.take().unwrap())))
        .call(job())
        .await
}

async fn run(bus: &MemoryBus, polled: Polled) -> Result<Published, PublishError> {
    publish(bus, &Log::default(), LIMITS, Ok(polled)).await
}

fn payloads(bus: &MemoryBus) -> Vec<String> {
    let events = bus.take(&topic()).into_iter();
    events
        .map(|event| String::from_utf8(event.payload.to_vec()).unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn fifty_thousand_events_pass_a_bus_of_a_hundred_in_their_order() {
    let bus = MemoryBus::builder().capacity(100).build();
    let consumer = tokio::spawn({
        let bus = bus.clone();
        async move {
            let mut seen = Vec::new();
            while seen.len() < 50_000 {
                seen.extend(bus.receive(&topic(), 7).await);
            }
            seen
        }
    });
    let published = run(&bus, polled(50_000)).await.unwrap();
    assert_eq!(published.events, 50_000);
    assert_eq!(published.refused, None);
    let seen = consumer.await.unwrap();
    let expected = (0..50_000).map(|n: u32| n.to_string());
    assert!(
        seen.iter().map(|event| event.payload.as_ref()).eq(expected
            .map(String::into_bytes)
            .collect::<Vec<_>>()
            .iter()
            .map(Vec::as_slice))
    );
}

#[tokio::test(start_paused = true)]
async fn it_answers_only_once_every_event_is_delivered() {
    let bus = MemoryBus::new();
    bus.pause();
    let mut publishing = Box::pin(run(&bus, polled(3)));
    sleep(Duration::from_secs(1)).await;
    assert!(publishing.as_mut().now_or_never().is_none());
    bus.resume();
    assert_eq!(publishing.await.unwrap().events, 3);
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_delivery_fails_fails_the_job() {
    let bus = MemoryBus::new();
    bus.fail_next(1, BusErrorKind::Unreachable);
    let error = run(&bus, polled(3)).await.unwrap_err();
    assert!(matches!(error, PublishError::Bus(error) if error.kind == BusErrorKind::Unreachable));
    assert_eq!(
        payloads(&bus),
        ["1", "2"],
        "the others were published all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn events_that_can_never_be_published_are_told_and_hold_up_no_other() {
    let bus = MemoryBus::builder().max_event_bytes(1_000).build();
    let too_large = |key: &str, size| Event::new(topic(), key, vec![b'x'; size], NOW_MS);
    let at = |created_ms, n| Event {
        created_ms,
        ..event(n)
    };
    let found = Polled::default().with_events([
        at(7, 0),
        too_large("for-the-bus", 2_000),
        at(9, 1),
        too_large("for-any-bus", 2_000_000),
        at(8, 2),
    ]);
    let published = run(&bus, found.with_calls(5)).await.unwrap();
    assert_eq!(published.events, 3);
    assert_eq!(published.created_ms, [7, 9, 8], "of those delivered");
    assert_eq!(published.calls, 5);
    let refused = published.refused.unwrap();
    assert_eq!(
        (refused.events, refused.reason.code()),
        (2, "event_too_large")
    );
    assert!(
        refused
            .reason
            .to_string()
            .contains("mastodon|posts|42|for-a"),
        "{}",
        refused.reason
    );
    assert_eq!(payloads(&bus), ["0", "1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn publishing_ends_while_there_is_time_to_complete() {
    let bus = MemoryBus::builder().deadline(2 * LEFT).build();
    bus.pause();
    let limits = PublishLimits {
        timeout: 2 * LEFT,
        ..LIMITS
    };
    let started = Instant::now();
    let published = publish(&bus, &Log::default(), limits, Ok(polled(1))).await;
    let error = published.unwrap_err();
    assert!(matches!(error, PublishError::Bus(error) if error.kind == BusErrorKind::Timeout));
    assert_eq!(started.elapsed(), LEFT - LIMITS.reserve);
}

#[tokio::test(start_paused = true)]
async fn more_events_than_the_burst_pass_at_the_rate() {
    let bus = MemoryBus::new();
    let log = Log::default();
    let limits = PublishLimits {
        rate: 100.try_into().unwrap(),
        burst: 10.try_into().unwrap(),
        ..LIMITS
    };
    let started = Instant::now();
    let published = publish(&bus, &log, limits, Ok(polled(1_010))).await;
    assert_eq!(published.unwrap().events, 1_010);
    let elapsed = started.elapsed().as_secs_f64();
    assert!((10.0..10.5).contains(&elapsed), "{elapsed}");
    assert_eq!(payloads(&bus).len(), 1_010);
    assert_eq!(log.entries(), ["throttled"]);
}

#[tokio::test(start_paused = true)]
async fn an_api_error_is_passed_on_and_nothing_is_published() {
    let bus = MemoryBus::new();
    let refused = Err(PollError::gone("no"));
    let published = publish(&bus, &Log::default(), LIMITS, refused).await;
    let error = published.unwrap_err();
    assert!(matches!(error, PublishError::Poll(error) if error.class() == ErrorClass::Gone));
    assert!(payloads(&bus).is_empty());
}
