//! Receiving waits, wakes, and can be given up.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use super::{LONG, QueueUnderTest, SLACK, drain, expect_stats, numbers};

/// `max` is the most that a worker has room for.
pub async fn a_receive_returns_no_more_than_asked_for(fixture: &QueueUnderTest) {
    assert!(fixture.receive(0, Duration::ZERO).await.is_empty());
    fixture.send_numbers(30).await;
    let mut seen = BTreeSet::new();
    for max in [1, 3, 10, 16] {
        let mut wanted = max;
        while wanted > 0 {
            let messages = fixture.receive(wanted, LONG).await;
            assert!(!messages.is_empty(), "{wanted} of {max} are missing");
            assert!(messages.len() <= wanted, "asked for {wanted}");
            wanted -= messages.len();
            for message in messages {
                fixture.queue.ack(&message.receipt).await.expect("acked");
                seen.insert(message.body);
            }
        }
    }
    assert_eq!(seen, numbers(30).into_iter().collect());
}

/// Without messages a receive takes as long as it was asked to, and is no error.
pub async fn an_empty_queue_answers_after_the_wait(fixture: &QueueUnderTest) {
    let before = Instant::now();
    assert!(fixture.receive(10, Duration::from_secs(1)).await.is_empty());
    let waited = before.elapsed();
    assert!(
        waited + SLACK >= Duration::from_secs(1) && waited < LONG,
        "{waited:?}"
    );
}

/// A message that is sent while a receive waits is returned then.
pub async fn a_long_poll_wakes_on_a_send(fixture: &QueueUnderTest) {
    let before = Instant::now();
    let send = async {
        sleep(SLACK).await;
        fixture.send_one("late").await;
    };
    let (messages, ()) = tokio::join!(fixture.receive(10, LONG), send);
    assert_eq!(messages.len(), 1);
    assert!(before.elapsed() < LONG / 2, "{:?}", before.elapsed());
}

/// So is one that another receiver took meanwhile and lost: it returns when its visibility timeout
/// ends, not when the wait does.
pub async fn a_long_poll_sees_a_message_come_back(fixture: &QueueUnderTest) {
    let before = Instant::now();
    let send = async {
        sleep(SLACK).await;
        fixture.send_one("back").await;
    };
    let one = fixture.receive(1, LONG);
    let other = fixture.receive(1, LONG);
    let (one, other, ()) = tokio::join!(one, other, send);
    let mut receive_counts: Vec<_> = one.iter().chain(&other).map(|m| m.receive_count).collect();
    receive_counts.sort_unstable();
    assert_eq!(receive_counts, [1, 2], "each has received it once");
    let latest = fixture.queue.visibility_timeout() + LONG / 4;
    assert!(before.elapsed() < latest, "{:?}", before.elapsed());
}

/// What a receive took and did not return comes back, after the visibility timeout at the latest.
pub async fn a_cancelled_receive_loses_nothing(fixture: &QueueUnderTest) {
    let given_up = timeout(SLACK, fixture.receive(10, LONG)).await;
    assert!(given_up.is_err(), "there was nothing to receive");
    fixture.send_numbers(5).await;
    // Polled once, and dropped: whatever it has started is given up half-way.
    let _ = timeout(Duration::ZERO, fixture.receive(10, LONG)).await;
    assert_eq!(drain(&*fixture.queue, 5).await, numbers(5));
}

/// Visible and in flight are told apart, and both end at nothing.
pub async fn statistics_tell_visible_from_in_flight(fixture: &QueueUnderTest) {
    let queue = &*fixture.queue;
    fixture.send_numbers(3).await;
    expect_stats(queue, |stats| stats.visible == 3 && stats.in_flight == 0).await;
    let held = fixture.receive(1, LONG).await;
    queue
        .extend(&held[0].receipt, LONG * 3)
        .await
        .expect("extended");
    expect_stats(queue, |stats| stats.visible == 2 && stats.in_flight == 1).await;
    queue.ack(&held[0].receipt).await.expect("acknowledged");
    drain(queue, 2).await;
    expect_stats(queue, |stats| stats.visible == 0 && stats.in_flight == 0).await;
}
