//! What many calls of a hundred tasks cost in requests.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use polling_model::Observation;
use polling_transport::{
    Message, Queue,
    sqs::{MAX_WAIT, SqsQueue},
};
use tokio::time::Instant;

use crate::server::{connect_new, counted_client, random_name};

const CALLS: usize = 100;

/// Batches of ten would be 10; some leave early, when their linger ends first.
const MAX_REQUESTS: usize = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn concurrent_calls_share_requests() {
    let (client, requests) = counted_client().await;
    let queue = connect_new(&client, &random_name("requests"), None).await;

    let sends = (0..CALLS).map(|n| queue.send(vec![n.to_string()]));
    for results in join_all(sends).await {
        assert_eq!(results, [Ok(())]);
    }
    let sent = requests.count("SendMessageBatch");
    assert!((CALLS / 10..=MAX_REQUESTS).contains(&sent), "{sent} sends");

    let held = receive_all(&queue).await;
    let receives = requests.count("ReceiveMessage");
    assert!(receives <= MAX_REQUESTS, "{receives} receives");

    let extensions = held
        .iter()
        .map(|m| queue.extend(&m.receipt, Duration::from_secs(60)));
    for result in join_all(extensions).await {
        result.expect("extended");
    }
    let extended = requests.count("ChangeMessageVisibilityBatch");
    assert!(
        (CALLS / 10..=MAX_REQUESTS).contains(&extended),
        "{extended} extensions"
    );

    let acks = held.iter().map(|message| queue.ack(&message.receipt));
    for result in join_all(acks).await {
        result.expect("acknowledged");
    }
    let acked = requests.count("DeleteMessageBatch");
    assert!(
        (CALLS / 10..=MAX_REQUESTS).contains(&acked),
        "{acked} acknowledgements"
    );
}

/// The test server takes 256 KiB in one call, SQS itself 1 MiB.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_batch_above_the_servers_limit_is_sent_in_halves_and_whole() {
    let (client, requests) = counted_client().await;
    let queue = connect_new(&client, &random_name("large"), None).await;
    let bodies = (0..8).map(|n| n.to_string().repeat(100 * 1024));
    assert_eq!(queue.send(bodies.collect()).await, vec![Ok(()); 8]);
    assert_eq!(requests.count("SendMessageBatch"), 1 + 2 + 4);
    assert_eq!(queue.stats().await.expect("stats").visible, 8);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_receive_of_many_makes_several_calls() {
    let (client, requests) = counted_client().await;
    let queue = connect_new(&client, &random_name("many"), None).await;
    queue.send((0..25).map(|n| n.to_string()).collect()).await;
    let messages = queue
        .receive(40, Duration::from_secs(5))
        .await
        .expect("received");
    assert_eq!(messages.len(), 25);
    // One full one, one more, and then two at once, of which the second finds nothing.
    assert_eq!(requests.count("ReceiveMessage"), 4);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn the_next_receive_makes_as_many_calls_at_once_as_were_full() {
    let (client, requests) = counted_client().await;
    let queue = connect_new(&client, &random_name("again"), None).await;
    for calls in [1 + 1 + 2, 1 + 3] {
        queue.send((0..40).map(|n| n.to_string()).collect()).await;
        let before = requests.count("ReceiveMessage");
        let received = queue.receive(40, Duration::from_secs(5)).await;
        assert_eq!(received.expect("received").len(), 40);
        assert_eq!(requests.count("ReceiveMessage") - before, calls);
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn an_observer_is_told_each_request_with_its_messages() {
    let (client, _) = counted_client().await;
    let name = random_name("told");
    connect_new(&client, &name, None).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let observer = {
        let told = Arc::clone(&told);
        move |observation: Observation<'_>| {
            if let Observation::Requested { call, messages, .. } = observation {
                let mut told = told.lock().expect("no holder panics");
                told.push((call, messages));
            }
        }
    };
    let queue = SqsQueue::connect_observed(&client, &name, Arc::new(observer)).await;
    let queue = queue.expect("the server finds the queue");
    queue.send((0..12).map(|n| n.to_string()).collect()).await;
    let received = queue.receive(20, Duration::from_secs(5)).await;
    let held = received.expect("received").into_iter();
    let held: Vec<_> = held.map(|message| message.receipt).collect();
    queue
        .extend(&held[0], Duration::from_secs(60))
        .await
        .expect("extended");
    queue.ack_all(&held).await;
    queue.stats().await.expect("stats");
    let told = told.lock().expect("no holder panics");
    let twice = |call| [(call, 10), (call, 2)];
    let mut all: Vec<(&str, usize)> = twice("send").into();
    all.extend(twice("receive"));
    all.push(("extend", 1));
    all.extend(twice("delete"));
    all.push(("stats", 0));
    assert_eq!(*told, all);
}

/// The server holds the call for longer than any other call may take.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn the_longest_wait_runs_into_no_deadline() {
    let (client, requests) = counted_client().await;
    let queue = connect_new(&client, &random_name("wait"), None).await;
    let started = Instant::now();
    let messages = queue
        .receive(10, Duration::from_secs(60))
        .await
        .expect("no error");
    assert!(messages.is_empty());
    assert!(started.elapsed() >= MAX_WAIT && started.elapsed() < MAX_WAIT * 2);
    assert_eq!(requests.count("ReceiveMessage"), 1);
}

async fn receive_all(queue: &dyn Queue) -> Vec<Message> {
    let mut held = Vec::new();
    while held.len() < CALLS {
        let wait = Duration::from_secs(1);
        let messages = queue
            .receive(CALLS - held.len(), wait)
            .await
            .expect("received");
        assert!(!messages.is_empty(), "{} of {CALLS} arrived", held.len());
        held.extend(messages);
    }
    held
}
