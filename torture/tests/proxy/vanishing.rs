//! Servers that cannot be reached, and those that fall silent.

use std::io::ErrorKind;

use tokio::{io::AsyncWriteExt, net::TcpStream};
use torture::proxy::{DropAction, Dropped, Faults, Protocol};

use crate::support::{Between, example, is_silent};

fn black_hole() -> Faults {
    Faults {
        black_hole: true,
        ..Faults::default()
    }
}

/// Time enough, in events, for what should not come to have come.
async fn round_trip(between: &Between) {
    let (request, reply) = example(Protocol::Redis);
    let mut ends = between.connect().await;
    ends.ask(request).await;
    ends.answer(reply).await;
}

#[tokio::test]
async fn a_black_hole_swallows_requests_and_their_connection_stays_dead() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let (request, reply) = example(Protocol::Redis);
    let mut ends = between.connect().await;
    ends.ask(request).await;
    ends.answer(reply).await;
    between.set(black_hole()).await;
    ends.client.write_all(request).await.unwrap();
    between.until("black-hole", 1).await;
    between.set(Faults::default()).await;
    ends.client.write_all(request).await.unwrap();
    round_trip(&between).await;
    assert!(is_silent(&ends.server) && is_silent(&ends.client));
}

#[tokio::test]
async fn a_black_hole_swallows_replies_and_the_end_of_the_server() {
    for gone in [false, true] {
        let between = Between::of(Protocol::Redis, Faults::default()).await;
        let (request, reply) = example(Protocol::Redis);
        let mut ends = between.connect().await;
        ends.ask(request).await;
        between.set(black_hole()).await;
        match gone {
            true => drop(ends.server),
            false => ends.server.write_all(reply).await.unwrap(),
        }
        between.until("black-hole", 1).await;
        between.set(Faults::default()).await;
        round_trip(&between).await;
        assert!(is_silent(&ends.client));
    }
}

#[tokio::test]
async fn a_connection_made_in_a_black_hole_is_accepted_and_dead() {
    let between = Between::of(Protocol::Redis, black_hole()).await;
    let mut client = TcpStream::connect(between.proxy.address()).await.unwrap();
    between.until("black-hole", 1).await;
    client.write_all(example(Protocol::Redis).0).await.unwrap();
    between.set(Faults::default()).await;
    round_trip(&between).await; // the server accepts this one first: it never saw the other
    assert!(is_silent(&client));
}

#[tokio::test]
async fn a_connection_that_lost_nothing_in_a_black_hole_goes_on() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let (request, reply) = example(Protocol::Redis);
    let mut ends = between.connect().await;
    between.set(black_hole()).await;
    between.set(Faults::default()).await;
    ends.ask(request).await;
    ends.answer(reply).await;
}

#[tokio::test]
async fn who_refuses_lets_nobody_in_and_open_connections_go_on() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let (request, reply) = example(Protocol::Redis);
    let mut ends = between.connect().await;
    let refuse = Faults {
        refuse: true,
        ..Faults::default()
    };
    for times in 1..=3 {
        between.set(refuse.clone()).await;
        let refused = TcpStream::connect(between.proxy.address()).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        ends.ask(request).await;
        ends.answer(reply).await;
        between.set(Faults::default()).await;
        round_trip(&between).await;
        assert_eq!(between.count("refuse"), times);
    }
}

#[tokio::test]
async fn only_the_request_that_is_named_is_dropped_and_then_all_is_silent() {
    let drop_get = Faults {
        drop_actions: vec![DropAction {
            action: "GET".to_owned(),
            probability: 1.0,
            answer: Dropped::Silence,
        }],
        ..Faults::default()
    };
    let between = Between::of(Protocol::Redis, drop_get).await;
    let mut ends = between.connect().await;
    ends.ask(b"*1\r\n$4\r\nPING\r\n").await;
    ends.answer(b"+PONG\r\n").await;
    ends.client
        .write_all(b"*2\r\n$3\r\nget\r\n$1\r\na\r\n")
        .await
        .unwrap();
    between.until("drop-action", 1).await;
    between.set(Faults::default()).await;
    round_trip(&between).await;
    assert!(is_silent(&ends.server) && is_silent(&ends.client));
}
