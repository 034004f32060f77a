//! The queue in memory: the port's conformance suite, and what is its own.

use std::{sync::Arc, time::Duration};

use polling_model::ManualClock;
use polling_transport::{
    EntryError, Queue, QueueErrorKind, Receipt, TokioClock, conformance::queue::QueueUnderTest,
    memory::MemoryQueue,
};
use tokio::time::{Instant, timeout};

const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(2);

async fn fresh() -> QueueUnderTest {
    let clock = Arc::new(TokioClock::starting_at(1_000_000));
    let dead_letters = MemoryQueue::builder("dead", clock.clone()).build();
    let queue = MemoryQueue::builder("jobs", clock)
        .visibility_timeout(VISIBILITY_TIMEOUT)
        .dead_letter(dead_letters.clone(), 3)
        .build();
    QueueUnderTest {
        queue,
        dead_letters,
        max_receives: 3,
    }
}

polling_transport::queue_conformance! {
    #[tokio::test(start_paused = true)]
    fresh
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

/// Bodies of all visible messages, in the order in which they are received.
async fn receive_bodies(queue: &MemoryQueue) -> Vec<String> {
    let received = queue.receive(usize::MAX, Duration::ZERO).await;
    let messages = received.expect("a queue in memory answers");
    messages.into_iter().map(|message| message.body).collect()
}

#[tokio::test]
async fn the_injected_clock_decides_when_a_message_comes_back() {
    let clock = ManualClock::at(5_000);
    let queue = MemoryQueue::builder("jobs", Arc::new(clock.clone())).build();
    queue.send(texts(["a"])).await;
    let first = queue.receive(1, Duration::ZERO).await.unwrap();
    assert_eq!(first[0].sent_ms, 5_000);
    assert_eq!(queue.messages()[0].invisible_until_ms, Some(35_000));

    clock.set(34_999);
    assert!(receive_bodies(&queue).await.is_empty());
    clock.set(35_000);
    assert_eq!(receive_bodies(&queue).await, ["a"]);
}

#[tokio::test]
async fn messages_are_received_in_the_order_they_became_visible() {
    let clock = ManualClock::at(0);
    let queue = MemoryQueue::builder("jobs", Arc::new(clock.clone())).build();
    queue.send(texts(["a", "b"])).await;
    let first = queue.receive(1, Duration::ZERO).await.unwrap();
    queue.send(texts(["c"])).await;
    queue.release(&first[0].receipt).await.unwrap();
    assert_eq!(receive_bodies(&queue).await, ["b", "c", "a"]);
}

#[tokio::test]
async fn a_full_queue_takes_no_more_until_there_is_room() {
    let clock = Arc::new(ManualClock::at(0));
    let queue = MemoryQueue::builder("jobs", clock).capacity(2).build();
    let results = queue.send(texts(["a", "b", "c"])).await;
    assert_eq!(results[..2], [Ok(()), Ok(())]);
    let Err(EntryError::Unknown { reason }) = &results[2] else {
        panic!("{results:?}");
    };
    assert_eq!(reason, "queue jobs is full: 2 messages");

    let held = queue.receive(1, Duration::ZERO).await.unwrap();
    queue.ack(&held[0].receipt).await.unwrap();
    assert_eq!(queue.send(texts(["c"])).await, [Ok(())]);
}

#[tokio::test]
async fn a_full_dead_letter_queue_loses_nothing() {
    let clock = Arc::new(ManualClock::at(0));
    let dead = MemoryQueue::builder("dead", clock.clone())
        .capacity(1)
        .build();
    let queue = MemoryQueue::builder("jobs", clock)
        .dead_letter(dead.clone(), 1)
        .build();
    queue.send(texts(["a", "b"])).await;
    for message in queue.receive(2, Duration::ZERO).await.unwrap() {
        queue.release(&message.receipt).await.unwrap();
    }
    assert_eq!(receive_bodies(&dead).await, ["a"]);
    let again = queue.receive(2, Duration::ZERO).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!((&*again[0].body, again[0].receive_count), ("b", 2));
}

#[tokio::test]
async fn a_receipt_is_good_until_the_message_is_received_again() {
    let clock = ManualClock::at(0);
    let queue = MemoryQueue::builder("jobs", Arc::new(clock.clone())).build();
    queue.send(texts(["a"])).await;
    let held = queue.receive(1, Duration::ZERO).await.unwrap();
    clock.advance(Duration::from_secs(31));
    // Visible again: too late to keep, not too late to delete.
    let late = queue.extend(&held[0].receipt, Duration::from_secs(1)).await;
    assert_eq!(late.unwrap_err().kind, QueueErrorKind::StaleReceipt);
    queue.ack(&held[0].receipt).await.unwrap();
    assert!(queue.messages().is_empty());
    assert_eq!(queue.stats().await.unwrap(), Default::default());
}

#[tokio::test]
async fn a_receipt_of_no_delivery_deletes_nothing() {
    let queue = MemoryQueue::builder("jobs", Arc::new(ManualClock::at(0))).build();
    queue.send(texts(["a"])).await;
    for receipt in ["", "0", "0.7", "7.1", "x.y"] {
        let receipt = Receipt(receipt.to_owned());
        queue.ack(&receipt).await.unwrap();
        let extended = queue.extend(&receipt, Duration::ZERO).await;
        assert_eq!(extended.unwrap_err().kind, QueueErrorKind::StaleReceipt);
    }
    assert_eq!(queue.messages().len(), 1);
}

#[tokio::test]
async fn the_age_is_that_of_the_oldest_visible_message() {
    let clock = ManualClock::at(1_000);
    let queue = MemoryQueue::builder("jobs", Arc::new(clock.clone())).build();
    assert_eq!(queue.stats().await.unwrap().oldest_age_ms, None);
    queue.send(texts(["a"])).await;
    clock.set(1_400);
    queue.send(texts(["b"])).await;
    clock.set(2_000);
    assert_eq!(queue.stats().await.unwrap().oldest_age_ms, Some(1_000));
    queue.receive(1, Duration::ZERO).await.unwrap();
    assert_eq!(queue.stats().await.unwrap().oldest_age_ms, Some(600));
}

#[tokio::test(start_paused = true)]
async fn each_message_wakes_a_receiver_of_its_own() {
    let fixture = fresh().await;
    let queue = &fixture.queue;
    let started = Instant::now();
    let receive = || queue.receive(1, Duration::from_secs(60));
    let send = async { queue.send(texts(["a", "b", "c"])).await };
    let (a, b, c, _) = tokio::join!(receive(), receive(), receive(), send);
    for received in [a, b, c] {
        assert_eq!(received.unwrap().len(), 1);
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_given_up_passes_its_wake_on() {
    let fixture = fresh().await;
    let queue = &fixture.queue;
    let mut given_up = Box::pin(queue.receive(1, Duration::from_secs(60)));
    assert!(timeout(Duration::ZERO, &mut given_up).await.is_err());
    let mut waiting = Box::pin(queue.receive(1, Duration::from_secs(60)));
    assert!(timeout(Duration::ZERO, &mut waiting).await.is_err());
    queue.send(texts(["a"])).await;
    drop(given_up);
    let started = Instant::now();
    assert_eq!(waiting.await.unwrap().len(), 1);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_extension_is_seen_by_those_who_wait() {
    let fixture = fresh().await;
    let queue = &fixture.queue;
    queue.send(texts(["a"])).await;
    let held = queue.receive(1, Duration::ZERO).await.unwrap();
    let started = Instant::now();
    let shorten = queue.extend(&held[0].receipt, Duration::from_millis(250));
    let (again, shortened) = tokio::join!(queue.receive(1, Duration::from_secs(60)), shorten);
    shortened.unwrap();
    assert_eq!(again.unwrap()[0].receive_count, 2);
    assert_eq!(started.elapsed(), Duration::from_millis(250));
}

/// On real threads, where a lost wake-up would leave a receiver waiting for its full minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_lose_no_message_and_no_wake() {
    const PAIRS: usize = 4;
    const EACH: usize = 2_000;
    let clock = Arc::new(TokioClock::starting_at(0));
    let queue = MemoryQueue::builder("jobs", clock).build();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..PAIRS {
        let sender = queue.clone();
        tasks.spawn(async move {
            for n in 0..EACH {
                let sent = sender.send(vec![n.to_string()]).await;
                assert_eq!(sent, [Ok(())]);
            }
        });
        let receiver = queue.clone();
        tasks.spawn(async move {
            for _ in 0..EACH {
                let received = receiver.receive(1, Duration::from_secs(60)).await.unwrap();
                assert_eq!(received.len(), 1);
                assert_eq!(received[0].receive_count, 1);
                receiver.ack(&received[0].receipt).await.unwrap();
            }
        });
    }
    let all = timeout(Duration::from_secs(30), tasks.join_all()).await;
    all.expect("nobody waits for what is there");
    assert!(queue.messages().is_empty());
}
