//! Who waits is woken by who sends, not by the next look.

use std::time::Duration;

use futures_util::future::join_all;
use polling_transport::{
    Queue,
    redis::{MAX_QUIET, RedisQueue},
};
use tokio::time::{Instant, sleep};

use crate::server::{client, pair};

const TIMEOUT: Duration = Duration::from_secs(30);

const ROUNDS: u32 = 8;

/// Looks alone would take half of [`MAX_QUIET`] on average.
const MOST_IN_ALL: Duration = Duration::from_millis(MAX_QUIET.as_millis() as u64 * 2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn a_message_that_another_process_sends_is_there_at_once() {
    let client = client();
    let (sender, _) = pair(&client, TIMEOUT).await;
    let queue = RedisQueue::connect(&client, "jobs")
        .await
        .expect("it exists");
    let mut late = Duration::ZERO;
    for round in 0..ROUNDS {
        let send = async {
            sleep(Duration::from_millis(100 + 70 * u64::from(round))).await;
            let sent = Instant::now();
            assert_eq!(sender.send(vec!["x".to_owned()]).await, [Ok(())]);
            sent
        };
        let (received, sent) = tokio::join!(queue.receive(1, TIMEOUT), send);
        late += sent.elapsed();
        let message = &received.expect("received")[0];
        queue.ack(&message.receipt).await.expect("acknowledged");
    }
    assert!(late < MOST_IN_ALL, "{late:?} for {ROUNDS} messages");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn one_who_is_woken_and_leaves_something_wakes_the_next() {
    let client = client();
    let (sender, _) = pair(&client, TIMEOUT).await;
    let mut queues = Vec::new();
    for _ in 0..4 {
        queues.push(
            RedisQueue::connect(&client, "jobs")
                .await
                .expect("it exists"),
        );
    }
    let mut late = Duration::ZERO;
    for _ in 0..ROUNDS {
        let waiting = join_all(queues.iter().map(|queue| queue.receive(1, TIMEOUT)));
        let send = async {
            sleep(Duration::from_millis(130)).await;
            let sent = Instant::now();
            sender.send(vec!["x".to_owned(); 4]).await;
            sent
        };
        let (received, sent) = tokio::join!(waiting, send);
        late += sent.elapsed();
        assert!(
            received
                .iter()
                .all(|messages| messages.as_ref().is_ok_and(|m| m.len() == 1))
        );
    }
    assert!(late < MOST_IN_ALL, "{late:?} for {ROUNDS} rounds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn what_is_released_wakes_too() {
    let client = client();
    let (holder, _) = pair(&client, TIMEOUT).await;
    let queue = RedisQueue::connect(&client, "jobs")
        .await
        .expect("it exists");
    assert_eq!(holder.send(vec!["x".to_owned()]).await, [Ok(())]);
    let held = holder.receive(1, Duration::ZERO).await.expect("received");
    let release = async {
        sleep(Duration::from_millis(130)).await;
        holder.release(&held[0].receipt).await.expect("released");
        Instant::now()
    };
    let (received, released) = tokio::join!(queue.receive(1, TIMEOUT), release);
    assert_eq!(received.expect("received")[0].receive_count, 2);
    assert!(
        released.elapsed() < MAX_QUIET / 2,
        "{:?}",
        released.elapsed()
    );
}
