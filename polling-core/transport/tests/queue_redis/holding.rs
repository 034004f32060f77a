//! Who holds a message, as the server has it, and what becomes of those who are gone.

use std::{collections::BTreeSet, time::Duration};

use polling_transport::{
    Queue,
    redis::{Client, QueueSpec, RedisQueue},
};

use crate::{
    own_server::{command, eventually},
    server::{MAX_RECEIVES, client, created, pair, url},
};

const TIMEOUT: Duration = Duration::from_secs(30);

/// Of the queue `jobs`; `part` is what its other keys add.
fn key(client: &Client, part: &str) -> String {
    format!("polling:{{{}}}:queue:jobs{part}", client.space())
}

async fn numbers(queue: &RedisQueue, count: usize) {
    let bodies = (0..count).map(|n| n.to_string()).collect();
    assert_eq!(queue.send(bodies).await, vec![Ok(()); count]);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_consumer_that_died_loses_nothing() {
    let client = client();
    let short = Duration::from_millis(300);
    let (dying, _) = pair(&client, short).await;
    numbers(&dying, 200).await;
    let held = dying.receive(150, Duration::ZERO).await.expect("received");
    assert_eq!(held.len(), 150);
    drop((dying, held));
    let queue = RedisQueue::connect(&client, "jobs")
        .await
        .expect("it exists");
    let (mut seen, mut again) = (BTreeSet::new(), 0);
    eventually("all arrive", async || {
        for message in queue.receive(100, short).await.expect("received") {
            again += usize::from(message.receive_count == 2);
            queue.ack(&message.receipt).await.expect("acknowledged");
            seen.insert(message.body);
        }
        seen.len() == 200
    })
    .await;
    assert_eq!(again, 150, "those that the other held");
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn nothing_is_left_of_what_was_acknowledged() {
    let client = client();
    let (queue, _) = pair(&client, Duration::from_secs(2)).await;
    for _ in 0..3 {
        numbers(&queue, 100).await;
        for message in queue.receive(100, Duration::ZERO).await.expect("received") {
            if message.body.ends_with('7') {
                queue
                    .extend(&message.receipt, TIMEOUT)
                    .await
                    .expect("extended");
            }
            if message.body.ends_with('8') {
                queue.release(&message.receipt).await.expect("released");
            }
            queue.ack(&message.receipt).await.expect("acknowledged");
        }
    }
    eventually("ranges end, and go", async || {
        queue.receive(1, Duration::ZERO).await.expect("received");
        command::<u32>(&url(), &format!("EXISTS {}", key(&client, ":ranges"))).await == 0
    })
    .await;
    let left: usize = command(&url(), &format!("XLEN {}", key(&client, ":messages"))).await;
    let others = [":leases", ":again"]
        .map(|part| key(&client, part))
        .join(" ");
    let exist: usize = command(&url(), &format!("EXISTS {others}")).await;
    assert_eq!((left, exist), (0, 0));
}

/// A small part of the visibility timeout is a range of its own, however many receives it has.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn many_receives_share_a_range() {
    let client = client();
    let (queue, _) = pair(&client, TIMEOUT).await;
    numbers(&queue, 300).await;
    for _ in 0..300 {
        queue.receive(1, Duration::ZERO).await.expect("received");
    }
    let ranges: usize = command(&url(), &format!("ZCARD {}", key(&client, ":ranges"))).await;
    assert!((1..20).contains(&ranges), "{ranges} ranges");
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn many_that_come_back_at_once_come_in_batches_and_then_become_dead_letters() {
    let client = client();
    let short = Duration::from_millis(500);
    let (queue, dead) = pair(&client, short).await;
    numbers(&queue, 1_000).await;
    for receives in 1..=MAX_RECEIVES {
        let mut seen = BTreeSet::new();
        eventually("all come back", async || {
            for message in queue
                .receive(1_000, Duration::ZERO)
                .await
                .expect("received")
            {
                assert_eq!(message.receive_count, receives);
                assert!(seen.insert(message.body), "twice within the timeout");
            }
            seen.len() == 1_000
        })
        .await;
    }
    eventually("all are dead letters", async || {
        let received = queue
            .receive(1_000, Duration::ZERO)
            .await
            .expect("received");
        assert!(received.is_empty(), "{} too often", received.len());
        dead.stats().await.expect("counted").visible == 1_000
    })
    .await;
    let stats = queue.stats().await.expect("counted");
    assert_eq!((stats.visible, stats.in_flight), (0, 0));
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_full_dead_letter_queue_loses_nothing() {
    let client = client();
    created(&client, &QueueSpec::new("small", TIMEOUT).capacity(1)).await;
    let spec = QueueSpec::new("jobs", TIMEOUT).dead_letter("small", 1);
    let queue = created(&client, &spec).await;
    numbers(&queue, 3).await;
    for message in queue.receive(3, Duration::ZERO).await.expect("received") {
        queue.release(&message.receipt).await.expect("released");
    }
    let again = queue.receive(3, Duration::ZERO).await.expect("received");
    let counts: Vec<_> = again.iter().map(|message| message.receive_count).collect();
    assert_eq!(
        counts,
        [2, 2],
        "one is a dead letter, two are delivered again"
    );
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn the_age_of_the_oldest_is_kept_by_dead_letters() {
    let client = client();
    let (queue, dead) = pair(&client, TIMEOUT).await;
    assert_eq!(queue.stats().await.expect("counted").oldest_age_ms, None);
    numbers(&queue, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let of_oldest = async |queue: &RedisQueue| queue.stats().await.expect("counted").oldest_age_ms;
    assert!((300..5_000).contains(&of_oldest(&queue).await.expect("one is visible")));
    for _ in 0..MAX_RECEIVES {
        let held = queue.receive(1, Duration::ZERO).await.expect("received");
        assert_eq!(of_oldest(&queue).await, None, "nothing is visible");
        queue.release(&held[0].receipt).await.expect("released");
    }
    assert!((300..5_000).contains(&of_oldest(&dead).await.expect("one is visible")));
    let letter = dead.receive(1, Duration::ZERO).await.expect("received");
    dead.release(&letter[0].receipt).await.expect("released");
    assert!((300..5_000).contains(&of_oldest(&dead).await.expect("one is visible")));
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn the_first_receive_finds_what_was_read_by_hand() {
    let client = client();
    let short = Duration::from_millis(10);
    let (queue, _) = pair(&client, short).await;
    numbers(&queue, 2).await;
    let messages = key(&client, ":messages");
    let by_hand = format!("XREADGROUP GROUP polling me COUNT 1 STREAMS {messages} >");
    let _: redis::Value = command(&url(), &by_hand).await;
    let mut seen = BTreeSet::new();
    eventually("it comes back after the timeout", async || {
        for message in queue.receive(10, short).await.expect("received") {
            queue.ack(&message.receipt).await.expect("acknowledged");
            seen.insert(message.body);
        }
        seen.len() == 2
    })
    .await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn words_that_are_no_receipt_spoil_no_batch() {
    let client = client();
    let (queue, _) = pair(&client, TIMEOUT).await;
    numbers(&queue, 1).await;
    let held = queue.receive(1, Duration::ZERO).await.expect("received");
    let forged = polling_transport::Receipt("no receipt".to_owned());
    let (one, other) = tokio::join!(queue.ack(&forged), queue.ack(&held[0].receipt));
    assert!(one.is_ok() && other.is_ok());
    assert!(queue.extend(&forged, TIMEOUT).await.is_err());
    assert_eq!(queue.stats().await.expect("counted").in_flight, 0);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn consumers_that_are_gone_are_removed_once_they_hold_nothing() {
    let client = Client::builder(url(), client().space())
        .consumer_idle(Duration::from_millis(200))
        .build()
        .expect("an address and a name");
    let (first, _) = pair(&client, TIMEOUT).await;
    numbers(&first, 2).await;
    let idle = RedisQueue::connect(&client, "jobs")
        .await
        .expect("it exists");
    let held = first.receive(1, Duration::ZERO).await.expect("received");
    // What is kept for longer than the timeout is pending for its consumer.
    let extended = first.extend(&held[0].receipt, TIMEOUT).await;
    extended.expect("extended");
    for message in idle.receive(1, Duration::ZERO).await.expect("received") {
        idle.ack(&message.receipt).await.expect("acknowledged");
    }
    drop((first, idle));

    let consumers = async || {
        let words = format!("XINFO CONSUMERS {} polling", key(&client, ":messages"));
        command::<Vec<redis::Value>>(&url(), &words).await.len()
    };
    // Each is new, and so sweeps at its first receive.
    let receive_once = async || {
        let queue = RedisQueue::connect(&client, "jobs")
            .await
            .expect("it exists");
        queue.receive(1, Duration::ZERO).await.expect("nothing");
        queue
    };
    eventually("that which holds nothing is removed", async || {
        receive_once().await;
        tokio::time::sleep(Duration::from_millis(250)).await;
        consumers().await == 1
    })
    .await;
    receive_once()
        .await
        .ack(&held[0].receipt)
        .await
        .expect("acknowledged");
    eventually("so is the other then", async || {
        receive_once().await;
        tokio::time::sleep(Duration::from_millis(250)).await;
        consumers().await == 0
    })
    .await;
}
