//! Replies cut, connections reset, and the seed that decides which.

use std::io::ErrorKind;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use torture::proxy::{Faults, Protocol};

use crate::support::{Between, PROTOCOLS, SEED, example, read_to_end};

fn cut() -> Faults {
    Faults {
        cut_reply: 1.0,
        ..Faults::default()
    }
}

#[tokio::test]
async fn the_request_is_delivered_and_its_reply_cut() {
    for protocol in PROTOCOLS {
        let between = Between::of(protocol, cut()).await;
        let (request, reply) = example(protocol);
        let mut ends = between.connect().await;
        ends.ask(request).await;
        let (first, rest) = reply.split_at(reply.len() - 1);
        ends.server.write_all(first).await.unwrap();
        assert_eq!(
            between.count("cut-reply"),
            0,
            "not before the reply is whole"
        );
        ends.server.write_all(rest).await.unwrap();
        let came = read_to_end(&mut ends.client).await;
        assert!(
            came.len() < reply.len() && reply.starts_with(&came),
            "{came:?}"
        );
        assert_eq!(between.count("cut-reply"), 1);
    }
}

#[tokio::test]
async fn replies_before_the_one_that_is_cut_are_whole() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let (request, _) = example(Protocol::Redis);
    let mut ends = between.connect().await;
    ends.ask(request).await;
    between.set(cut()).await;
    ends.ask(request).await;
    ends.server
        .write_all(b"+FIRST\r\n+SECOND\r\n")
        .await
        .unwrap();
    let came = read_to_end(&mut ends.client).await;
    assert!(came.starts_with(b"+FIRST\r\n"), "{came:?}");
    assert!(!came.ends_with(b"+SECOND\r\n"), "{came:?}");
}

#[tokio::test]
async fn a_request_of_kafka_without_a_reply_does_not_take_the_next_ones() {
    let between = Between::of(Protocol::Kafka, cut()).await;
    let mut ends = between.connect().await;
    ends.ask(b"\0\0\0\x0a\0\0\0\x03\0\0\0\x01\0\0").await;
    between.set(Faults::default()).await;
    ends.ask(b"\0\0\0\x0a\0\x03\0\x03\0\0\0\x02\0\0").await;
    ends.answer(b"\0\0\0\x06\0\0\0\x02\0\0").await;
    assert_eq!(between.count("cut-reply"), 0);
}

#[tokio::test]
async fn a_reset_ends_the_connection_before_the_request_is_delivered() {
    let reset = Faults {
        reset: 1.0,
        ..Faults::default()
    };
    let between = Between::of(Protocol::Redis, reset).await;
    let mut ends = between.connect().await;
    ends.client
        .write_all(example(Protocol::Redis).0)
        .await
        .unwrap();
    let error = ends.client.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let error = ends.server.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(between.count("reset"), 1);
}

#[tokio::test]
async fn all_open_connections_are_reset_and_new_ones_work() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let (mut one, mut two) = (between.connect().await, between.connect().await);
    between.proxy.reset_open();
    for ends in [&mut one, &mut two] {
        let error = ends.client.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    assert_eq!(between.count("reset"), 2);
    let mut three = between.connect().await;
    three.ask(example(Protocol::Redis).0).await;
}

/// Which of 64 connections, each with one request, are reset.
async fn resets(seed: u64) -> Vec<bool> {
    let half = Faults {
        reset: 0.5,
        ..Faults::default()
    };
    let between = Between::seeded(Protocol::Redis, half, seed).await;
    let (request, reply) = example(Protocol::Redis);
    let mut resets = Vec::new();
    for _ in 0..64 {
        let mut ends = between.connect().await;
        ends.client.write_all(request).await.unwrap();
        let mut came = vec![0; request.len()];
        let delivered = ends.server.read_exact(&mut came).await.is_ok();
        if delivered {
            ends.answer(reply).await;
        }
        resets.push(!delivered);
    }
    resets
}

#[tokio::test]
async fn the_seed_decides_who_is_hit() {
    let hit = resets(SEED).await;
    assert!(hit.contains(&true) && hit.contains(&false));
    assert_eq!(resets(SEED).await, hit);
    assert_ne!(resets(SEED + 1).await, hit);
}
