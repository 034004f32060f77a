//! A server that goes away, forgets, or is full.

use std::{error::Error, pin::pin, time::Duration};

use futures_util::poll;
use polling_transport::{
    EntryError, Queue, QueueError, QueueErrorKind,
    redis::{
        Client, QueueSpec, RedisQueue, create_queue,
        link::{DEFAULT_RESPONSE_TIMEOUT, Link, LinkOptions},
    },
};
use tokio::{
    net::TcpListener,
    time::{Instant, timeout},
};

use crate::{
    own_server::{OwnServer, eventually},
    server::{client_of, created, pair},
};

const TIMEOUT: Duration = Duration::from_secs(30);

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

async fn send(queue: &RedisQueue, bodies: &[&str]) -> Vec<Result<(), EntryError>> {
    queue
        .send(bodies.iter().map(|&body| body.to_owned()).collect())
        .await
}

async fn receive(queue: &RedisQueue) -> Result<Vec<String>, QueueError> {
    let received = queue.receive(10, Duration::ZERO).await?;
    Ok(received.into_iter().map(|message| message.body).collect())
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_server_that_was_killed_has_everything_when_it_is_back() {
    let mut server = OwnServer::start().await;
    let client = client_of(&server.url());
    let (queue, _) = pair(&client, TIMEOUT).await;
    assert_eq!(
        send(&queue, &["acked", "held", "waiting"]).await,
        [Ok(()), Ok(()), Ok(())]
    );
    let held = queue.receive(2, Duration::ZERO).await.expect("received");
    queue.ack(&held[0].receipt).await.expect("acknowledged");

    server.kill();
    let error = receive(&queue).await.expect_err("nobody is there");
    assert_eq!(error.kind, QueueErrorKind::Unreachable, "{}", chain(&error));
    assert!(
        chain(&error).contains("receive at 127.0.0.1:"),
        "{}",
        chain(&error)
    );
    let [Err(EntryError::Unknown { reason })] = &send(&queue, &["late"]).await[..] else {
        panic!("whether it was sent is not known");
    };
    assert!(
        reason.starts_with("the server cannot be reached"),
        "{reason}"
    );

    server.start_again().await;
    // The same queue goes on, and so does the delivery of before.
    queue
        .extend(&held[1].receipt, TIMEOUT)
        .await
        .expect("still held");
    assert_eq!(receive(&queue).await.expect("it is back"), ["waiting"]);
    queue.release(&held[1].receipt).await.expect("still held");
    let again = queue.receive(10, Duration::ZERO).await.expect("received");
    assert_eq!((again.len(), again[0].receive_count), (1, 2));
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_connection_that_is_cut_is_made_anew_and_a_waiting_receive_goes_on() {
    let server = OwnServer::start().await;
    let client = client_of(&server.url());
    let (queue, _) = pair(&client, TIMEOUT).await;
    let cut_then_send = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let cut: u32 = server.command("CLIENT KILL TYPE normal SKIPME yes").await;
        assert!(cut >= 2, "the shared connection, and the one that listens");
        eventually("a send arrives", async || {
            send(&queue, &["x"]).await[0].is_ok()
        })
        .await;
    };
    let wait_for_it = async {
        let end = Instant::now() + TIMEOUT;
        loop {
            // The call that was cut off may be an error; the next one is none.
            match queue.receive(1, TIMEOUT).await {
                Ok(messages) => return messages,
                Err(error) => assert!(Instant::now() < end, "{}", chain(&error)),
            }
        }
    };
    let (messages, ()) = tokio::join!(wait_for_it, cut_then_send);
    assert_eq!(messages.len(), 1);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn scripts_that_the_server_forgot_are_taught_again() {
    let server = OwnServer::start().await;
    let client = client_of(&server.url());
    let (queue, _) = pair(&client, TIMEOUT).await;
    for round in 0..2 {
        let () = server.command("SCRIPT FLUSH").await;
        assert_eq!(send(&queue, &["x"]).await, [Ok(())], "round {round}");
        let () = server.command("SCRIPT FLUSH").await;
        let held = queue.receive(1, Duration::ZERO).await.expect("received");
        let () = server.command("SCRIPT FLUSH").await;
        queue
            .extend(&held[0].receipt, TIMEOUT)
            .await
            .expect("extended");
        let () = server.command("SCRIPT FLUSH").await;
        queue.ack(&held[0].receipt).await.expect("acknowledged");
        assert_eq!(queue.stats().await.expect("counted").in_flight, 0);
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_full_server_takes_nothing_more_and_still_gives_what_it_has() {
    let server = OwnServer::start().await;
    let client = client_of(&server.url());
    let (queue, dead) = pair(&client, Duration::from_millis(100)).await;
    assert_eq!(send(&queue, &["a", "b"]).await, [Ok(()), Ok(())]);
    let first = queue.receive(1, Duration::ZERO).await.expect("received");
    let () = server.command("CONFIG SET maxmemory 1").await;

    let [Err(EntryError::Unknown { reason })] = &send(&queue, &["late"]).await[..] else {
        panic!("it may be sent again");
    };
    assert!(
        reason.starts_with("the server is unavailable for now"),
        "{reason}"
    );
    assert!(reason.contains("OOM"), "{reason}");

    // What comes back is written down, what is worn out becomes a dead letter, all the same.
    queue
        .extend(&first[0].receipt, Duration::ZERO)
        .await
        .expect("released");
    eventually("all are worn out", async || {
        receive(&queue).await.expect("received");
        dead.stats().await.expect("counted").visible == 2
    })
    .await;
    for message in dead.receive(10, Duration::ZERO).await.expect("received") {
        dead.ack(&message.receipt).await.expect("acknowledged");
    }
    let () = server.command("CONFIG SET maxmemory 0").await;
    assert_eq!(send(&queue, &["late"]).await, [Ok(())]);
    assert_eq!(receive(&queue).await.expect("received"), ["late"]);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn on_a_cluster_every_step_keeps_to_one_slot() {
    let server = OwnServer::start_cluster().await;
    let client = client_of(&server.url());
    let (queue, dead) = pair(&client, Duration::from_millis(200)).await;
    assert_eq!(send(&queue, &["acked", "worn out"]).await, [Ok(()), Ok(())]);
    let held = queue.receive(1, Duration::ZERO).await.expect("received");
    queue
        .extend(&held[0].receipt, TIMEOUT)
        .await
        .expect("extended");
    queue.ack(&held[0].receipt).await.expect("acknowledged");
    eventually("the other is a dead letter", async || {
        queue
            .receive(1, Duration::from_millis(300))
            .await
            .expect("received");
        queue.stats().await.expect("counted");
        dead.stats().await.expect("counted").visible == 1
    })
    .await;
    assert_eq!(receive(&dead).await.expect("received"), ["worn out"]);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_server_that_would_throw_queues_away_is_refused() {
    let server = OwnServer::start().await;
    let client = client_of(&server.url());
    let spec = QueueSpec::new("jobs", TIMEOUT);
    created(&client, &spec).await;
    let () = server
        .command("CONFIG SET maxmemory-policy allkeys-lru")
        .await;
    let connecting = RedisQueue::connect(&client, "jobs").await.map(drop);
    let creating = create_queue(&client, &spec).await;
    for error in [
        connecting.expect_err("it evicts"),
        creating.expect_err("it evicts"),
    ] {
        let said = chain(&error);
        assert!(said.contains("maxmemory-policy allkeys-lru"), "{said}");
        assert!(said.contains("set noeviction"), "{said}");
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_replica_takes_nothing() {
    let server = OwnServer::start().await;
    let client = client_of(&server.url());
    let (queue, _) = pair(&client, TIMEOUT).await;
    let () = server.command("REPLICAOF 127.0.0.1 1").await;
    let error = receive(&queue).await.expect_err("a replica");
    assert_eq!(error.kind, QueueErrorKind::Unavailable, "{}", chain(&error));
    let () = server.command("REPLICAOF NO ONE").await;
    assert_eq!(send(&queue, &["x"]).await, [Ok(())]);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_server_that_was_emptied_has_no_such_queue() {
    let server = OwnServer::start().await;
    let client = client_of(&server.url());
    let (queue, _) = pair(&client, TIMEOUT).await;
    let () = server.command("FLUSHALL").await;
    let error = receive(&queue).await.expect_err("it is gone");
    assert_eq!(error.kind, QueueErrorKind::NoSuchQueue, "{}", chain(&error));
}

#[tokio::test]
async fn nobody_there_is_told_with_the_address_and_without_the_password() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let url = format!("redis://user:a-secret-of-this-test@{address}/");
    let client = Client::builder(url, "test").build().expect("an address");
    let error = RedisQueue::connect(&client, "jobs")
        .await
        .expect_err("nobody");
    assert_eq!(error.kind, QueueErrorKind::Unreachable, "{}", chain(&error));
    let said = chain(&error);
    assert!(said.contains(&format!("connect at {address}")), "{said}");
    assert!(
        !format!("{said}{error:?}").contains("a-secret"),
        "no secret is told"
    );
}

/// A server that takes connections and says nothing must not hold a call for ever.
#[tokio::test]
async fn a_silent_server_runs_into_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("redis://{}/", silent.local_addr().expect("it is bound"));
    let short = Duration::from_millis(50);
    let client = Client::builder(url, "test")
        .link(LinkOptions::default().response_timeout(short))
        .build();
    let error = RedisQueue::connect(&client.expect("an address"), "jobs").await;
    let error = error.expect_err("no answer");
    assert_eq!(error.kind, QueueErrorKind::Timeout, "{}", chain(&error));
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_step_that_nobody_polls_holds_up_no_other() {
    let server = OwnServer::start().await;
    let link = Link::new(&server.url(), &LinkOptions::default()).expect("an address");
    let ping = redis::cmd("PING");
    let mut left = pin!(link.query::<String>(&ping));
    assert!(poll!(left.as_mut()).is_pending(), "it has begun to connect");
    let another = timeout(DEFAULT_RESPONSE_TIMEOUT / 2, link.query::<String>(&ping));
    assert_eq!(
        another.await.expect("not held up").expect("answered"),
        "PONG"
    );
    assert_eq!(left.await.expect("answered"), "PONG");
}
