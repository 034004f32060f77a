//! What is passed on, at once or slowly.

use std::{num::NonZeroUsize, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream, time::Instant};
use torture::proxy::{Fault, Faults, Protocol};

use crate::support::{Between, Ends, PROTOCOLS, example, read_to_end};

#[tokio::test]
async fn without_faults_all_is_passed_on_and_nothing_counted() {
    for protocol in PROTOCOLS {
        let between = Between::of(protocol, Faults::default()).await;
        let (request, reply) = example(protocol);
        let mut ends = between.connect().await;
        for _ in 0..2 {
            ends.ask(request).await;
            ends.answer(reply).await;
        }
        let counts = between.proxy.counts();
        assert_eq!(counts.len(), Fault::ALL.len());
        assert!(counts.values().all(|&count| count == 0), "{counts:?}");
    }
}

#[tokio::test]
async fn a_pipeline_is_answered_in_order() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let mut ends = between.connect().await;
    let (request, _) = example(Protocol::Redis);
    ends.ask(&request.repeat(500)).await;
    let replies: String = (0..500).map(|n| format!(":{n}\r\n")).collect();
    ends.answer(replies.as_bytes()).await;
}

#[tokio::test]
async fn what_the_server_says_unasked_is_passed_on() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let mut ends = between.connect().await;
    ends.answer(b">2\r\n+invalidate\r\n*0\r\n").await;
    ends.ask(example(Protocol::Redis).0).await;
    ends.answer(b">1\r\n+a\r\n+OK\r\n").await;
}

#[tokio::test]
async fn either_end_hears_the_other_close() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let Ends { mut server, client } = between.connect().await;
    drop(client);
    assert!(read_to_end(&mut server).await.is_empty());
    let Ends { server, mut client } = between.connect().await;
    drop(server);
    assert!(read_to_end(&mut client).await.is_empty());
}

#[tokio::test]
async fn a_request_that_ends_half_way_reaches_the_server_as_far_as_it_went() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let mut ends = between.connect().await;
    ends.client.write_all(b"*2\r\n$3\r\nGE").await.unwrap();
    drop(ends.client);
    assert_eq!(read_to_end(&mut ends.server).await, b"*2\r\n$3\r\nGE");
}

#[tokio::test]
async fn one_byte_at_a_time_says_the_same() {
    for protocol in PROTOCOLS {
        let faults = Faults {
            slice_bytes: NonZeroUsize::new(1),
            ..Faults::default()
        };
        let between = Between::of(protocol, faults).await;
        let (request, reply) = example(protocol);
        let mut ends = between.connect().await;
        ends.ask(request).await;
        ends.answer(reply).await;
        assert_eq!(between.count("slice"), 2);
    }
}

#[tokio::test]
async fn latency_holds_requests_and_replies_and_keeps_their_order() {
    let faults = Faults {
        latency_ms: Some(20..=60),
        ..Faults::default()
    };
    let between = Between::of(Protocol::Redis, faults).await;
    let mut ends = between.connect().await;
    let started = Instant::now();
    let requests: String = (0..20)
        .map(|n| format!("*1\r\n$4\r\nGE{n:02}\r\n"))
        .collect();
    ends.ask(requests.as_bytes()).await;
    assert!(started.elapsed() >= Duration::from_millis(20));
    ends.answer(b":1\r\n").await;
    assert!(started.elapsed() >= Duration::from_millis(40));
    assert_eq!(between.count("latency"), 21);
}

#[tokio::test]
async fn faults_change_for_open_connections_and_stop_with_them() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let mut ends = between.connect().await;
    let (request, reply) = example(Protocol::Redis);
    ends.ask(request).await;
    let sliced = Faults {
        slice_bytes: NonZeroUsize::new(1),
        ..Faults::default()
    };
    between.set(sliced).await;
    ends.answer(reply).await;
    between.set(Faults::default()).await;
    ends.ask(request).await;
    assert_eq!(between.count("slice"), 1);
}

#[tokio::test]
async fn a_proxy_that_is_stopped_takes_its_connections_with_it() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let mut ends = between.connect().await;
    let address = between.proxy.address();
    between.proxy.stop().await;
    assert!(read_to_end(&mut ends.client).await.is_empty());
    assert!(read_to_end(&mut ends.server).await.is_empty());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_server_that_is_not_there_resets_the_client() {
    let between = Between::of(Protocol::Redis, Faults::default()).await;
    let proxy = between.without_server();
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    let _ = client.write_all(example(Protocol::Redis).0).await;
    assert!(read_to_end(&mut client).await.is_empty());
}

#[tokio::test]
async fn what_is_not_the_protocol_ends_the_connection() {
    let between = Between::of(Protocol::Kafka, Faults::default()).await;
    let mut ends = between.connect().await;
    ends.client.write_all(b"\xff\xff\xff\xff").await.unwrap();
    assert!(read_to_end(&mut ends.client).await.is_empty());
    assert!(read_to_end(&mut ends.server).await.is_empty());
}
