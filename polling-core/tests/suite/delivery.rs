use std::{sync::Arc, time::Duration};

use polling_core::{
    Delivery, Keeper, Queue,
    transport::{QueueErrorKind, memory::MemoryQueue},
};
use tokio::time::sleep;

use crate::support::{Log, RecordingQueue, clock};

const VISIBILITY: Duration = Duration::from_secs(30);

/// A message received from a queue with a visibility timeout of 30 s, kept for `lifetime`.
async fn delivered(lifetime: Duration) -> (Arc<RecordingQueue>, Delivery, Keeper, Log) {
    let log = Log::default();
    let inner = MemoryQueue::builder("work", clock())
        .visibility_timeout(VISIBILITY)
        .build();
    let queue = RecordingQueue::new(inner, &log);
    queue.inner.send(vec!["body".to_owned()]).await;
    let message = queue.receive(1, Duration::ZERO).await.unwrap().remove(0);
    let keeper = Keeper::new();
    let delivery = Delivery::new(message, queue.clone(), lifetime, keeper.clone());
    (queue, delivery, keeper, log)
}

#[tokio::test(start_paused = true)]
async fn a_message_stays_invisible_for_as_long_as_it_is_held() {
    let (queue, _delivery, _keeper, log) = delivered(Duration::from_secs(3_600)).await;
    for _ in 0..35 {
        sleep(Duration::from_secs(100)).await;
        assert_eq!(queue.stats().await.unwrap().visible, 0);
    }
    sleep(Duration::from_secs(1)).await;
    let beats = log.count("extend work");
    assert_eq!(beats, 350, "a third of the timeout apart");
}

#[tokio::test(start_paused = true)]
async fn lost_heartbeats_are_made_up_for_by_the_next() {
    let (queue, _delivery, _keeper, _log) = delivered(Duration::from_secs(600)).await;
    queue.fail("extend", QueueErrorKind::Unreachable);
    queue.fail("extend", QueueErrorKind::Timeout);
    sleep(Duration::from_secs(29)).await;
    assert_eq!(queue.inner.stats().await.unwrap().visible, 0);
    sleep(Duration::from_secs(300)).await;
    assert_eq!(queue.inner.stats().await.unwrap().visible, 0);
}

#[tokio::test(start_paused = true)]
async fn at_its_hard_end_a_message_reappears_though_it_is_held() {
    let (queue, _delivery, _keeper, _log) = delivered(Duration::from_secs(65)).await;
    sleep(Duration::from_secs(64)).await;
    assert_eq!(queue.stats().await.unwrap().visible, 0);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(queue.stats().await.unwrap().visible, 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_another_received_is_no_longer_extended() {
    let (queue, _delivery, _keeper, log) = delivered(Duration::from_secs(600)).await;
    queue.fail("extend", QueueErrorKind::StaleReceipt);
    sleep(Duration::from_secs(500)).await;
    assert_eq!(log.count("extend work"), 1);
}

#[tokio::test(start_paused = true)]
async fn dropping_a_delivery_gives_the_message_back_at_once() {
    let (queue, delivery, keeper, _log) = delivered(Duration::from_secs(600)).await;
    drop(delivery);
    keeper.released().await;
    assert_eq!(queue.stats().await.unwrap().visible, 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_left_reappears_after_its_visibility_timeout() {
    let (queue, delivery, _keeper, log) = delivered(Duration::from_secs(600)).await;
    delivery.leave();
    sleep(VISIBILITY - Duration::from_secs(1)).await;
    assert_eq!(queue.inner.stats().await.unwrap().visible, 0);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(queue.inner.stats().await.unwrap().visible, 1);
    assert_eq!(
        log.entries(),
        Vec::<String>::new(),
        "neither extended nor released"
    );
}

#[tokio::test(start_paused = true)]
async fn an_acknowledged_message_is_gone_and_its_heartbeat_with_it() {
    let (queue, delivery, _keeper, log) = delivered(Duration::from_secs(600)).await;
    delivery.ack().await.unwrap();
    sleep(Duration::from_secs(100)).await;
    assert_eq!(queue.inner.messages(), []);
    assert_eq!(log.entries(), ["ack work"]);
}
