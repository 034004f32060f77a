//! Metered ports: the ports' conformance suites as they are, and what is reported.
#![allow(clippy::unwrap_used)]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use polling_model::{Observation, SharedObserver};
use polling_transport::{
    EventBus, Metered, Receipt, SharedQueue, TokioClock,
    conformance::{
        bus::{BUFFER, BusUnderTest, events},
        queue::QueueUnderTest,
    },
    memory::{MemoryBus, MemoryQueue},
};

/// Calls as they were reported: port, name, operation, error.
type Reported = Arc<Mutex<Vec<String>>>;

fn reporting() -> (Reported, SharedObserver) {
    let reported = Reported::default();
    let report = Arc::clone(&reported);
    let observer = move |observation: Observation<'_>| {
        if let Observation::Called {
            port,
            name,
            operation,
            error,
            ..
        } = observation
        {
            let call = format!("{port} {name} {operation} {}", error.unwrap_or("ok"));
            report.lock().unwrap().push(call);
        }
    };
    (reported, Arc::new(observer))
}

fn metered(queue: Arc<MemoryQueue>, observer: &SharedObserver) -> SharedQueue {
    Arc::new(Metered::new(queue, "jobs", Arc::clone(observer)))
}

async fn fresh_queue() -> QueueUnderTest {
    let clock = Arc::new(TokioClock::starting_at(1_000_000));
    let (_, observer) = reporting();
    let dead_letters = MemoryQueue::builder("dead", clock.clone()).build();
    let queue = MemoryQueue::builder("jobs", clock)
        .visibility_timeout(Duration::from_secs(2))
        .dead_letter(dead_letters.clone(), 3)
        .build();
    QueueUnderTest {
        queue: metered(queue, &observer),
        dead_letters: metered(dead_letters, &observer),
        max_receives: 3,
    }
}

mod queue {
    polling_transport::queue_conformance! {
        #[tokio::test(start_paused = true)]
        super::fresh_queue
    }
}

async fn fresh_bus() -> BusUnderTest {
    let (_, observer) = reporting();
    let topic: polling_model::Topic = "posts".parse().unwrap();
    let bus = MemoryBus::builder()
        .capacity(BUFFER)
        .topics([topic.clone()])
        .build();
    BusUnderTest {
        bus: Arc::new(Metered::new(Arc::new(bus.clone()), "memory", observer)),
        reader: Box::new(bus),
        topic,
        missing_topic: Some("missing".parse().unwrap()),
    }
}

mod bus {
    polling_transport::bus_conformance! {
        #[tokio::test(start_paused = true)]
        super::fresh_bus
    }
}

#[tokio::test(start_paused = true)]
async fn each_call_to_a_queue_is_reported_with_its_error() {
    let (reported, observer) = reporting();
    let clock = Arc::new(TokioClock::starting_at(1_000_000));
    let queue = metered(MemoryQueue::builder("jobs", clock).build(), &observer);
    queue.send(vec!["a".to_owned(), "b".to_owned()]).await;
    let received = queue.receive(1, Duration::ZERO).await.unwrap();
    queue.ack(&received[0].receipt).await.unwrap();
    let gone = Receipt("gone".to_owned());
    assert!(queue.extend(&gone, Duration::from_secs(1)).await.is_err());
    let expected = ["send ok", "receive ok", "ack ok", "extend stale_receipt"];
    let expected = expected.map(|call| format!("queue jobs {call}"));
    assert_eq!(*reported.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_is_reported_as_cancelled() {
    let (reported, observer) = reporting();
    let clock = Arc::new(TokioClock::starting_at(1_000_000));
    let queue = metered(MemoryQueue::builder("jobs", clock).build(), &observer);
    let receiving = queue.receive(1, Duration::from_secs(20));
    let waited = tokio::time::timeout(Duration::from_secs(1), receiving).await;
    assert!(waited.is_err());
    assert_eq!(*reported.lock().unwrap(), ["queue jobs receive cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn publishing_is_reported_as_taken_and_as_delivered() {
    let (reported, observer) = reporting();
    let topic: polling_model::Topic = "posts".parse().unwrap();
    let bus = MemoryBus::builder()
        .capacity(2)
        .topics([topic.clone()])
        .build();
    let bus = Metered::new(Arc::new(bus), "memory", observer);
    bus.publish(events(&topic, 0..2)).await.await;
    let full = bus.publish(events(&topic, 2..3)).await.await;
    assert!(full[0].is_err());
    let missing: polling_model::Topic = "missing".parse().unwrap();
    assert!(bus.check_topic(&missing).await.is_err());
    let expected = [
        "publish ok",
        "deliver ok",
        "publish ok",
        "deliver timeout",
        "check_topic no_such_topic",
    ];
    let expected = expected.map(|call| format!("bus memory {call}"));
    assert_eq!(*reported.lock().unwrap(), expected);
}
