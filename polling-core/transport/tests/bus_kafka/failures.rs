//! Brokers that are not there, refuse, or break a producer for good.

use std::{error::Error, time::Duration};

use polling_transport::{
    BusError, BusErrorKind, EventBus,
    conformance::bus::{BusReader, events},
    kafka::KafkaBus,
};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use tokio::time::Instant;

use crate::{Reader, fresh_topic, mock, small};

/// A port on which nobody listens.
const NOBODY: &str = "127.0.0.1:1";

fn kinds(reports: Vec<Result<(), BusError>>) -> Vec<BusErrorKind> {
    reports
        .into_iter()
        .filter_map(|r| Some(r.err()?.kind))
        .collect()
}

#[tokio::test]
async fn publishing_to_nobody_fails_within_the_deadline_and_says_what_was_tried() {
    let deadline = Duration::from_secs(2);
    let bus = small(NOBODY).deadline(deadline).build().unwrap();
    let started = Instant::now();
    // More than the producer's queue holds: the rest waits for room that never comes.
    let reports = bus.publish(events(&fresh_topic(), 0..250)).await.await;
    assert!(started.elapsed() < 2 * deadline, "{:?}", started.elapsed());
    let error = reports[0].as_ref().unwrap_err();
    let source = error.source().unwrap().to_string();
    assert!(source.contains(NOBODY), "{source}");
    assert!(source.contains("refused"), "{source}");
    assert_eq!(kinds(reports), [BusErrorKind::Unreachable; 250]);
}

#[tokio::test]
async fn checking_a_topic_of_nobody_says_what_was_tried() {
    let bus = small(NOBODY).build().unwrap();
    let topic = fresh_topic();
    let error = bus.check_topic(&topic).await.unwrap_err();
    assert_eq!(
        (error.kind, &error.topic),
        (BusErrorKind::Unreachable, &topic)
    );
    assert!(error.source().unwrap().to_string().contains(NOBODY));
}

#[tokio::test]
async fn a_flush_that_cannot_end_names_a_topic() {
    let bus = small(NOBODY).build().unwrap();
    let topic = fresh_topic();
    let _reports = bus.publish(events(&topic, 0..1)).await;
    let error = bus.flush(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!((error.kind, error.topic), (BusErrorKind::Timeout, topic));
}

#[tokio::test]
async fn dropping_a_bus_that_cannot_deliver_blocks_nobody() {
    let bus = small(NOBODY).build().unwrap();
    drop(bus.publish(events(&fresh_topic(), 0..10)).await);
    let started = Instant::now();
    drop(bus);
    assert!(started.elapsed() < Duration::from_millis(50));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dropped_bus_has_taken_is_delivered() {
    let (cluster, topic) = mock();
    let bus = small(&cluster.bootstrap_servers()).build().unwrap();
    let deliveries = bus.publish(events(&topic, 0..50)).await;
    drop(bus);
    assert_eq!(kinds(deliveries.await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_permission_is_told_until_a_check_finds_it_granted() {
    let (cluster, topic) = mock();
    let denied = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::Produce, &[denied]);
    let bus = small(&cluster.bootstrap_servers()).build().unwrap();
    let reports = bus.publish(events(&topic, 0..1)).await.await;
    assert_eq!(kinds(reports), [BusErrorKind::Denied]);
    // librdkafka refuses the topic from now on, until it has asked for it again.
    bus.check_topic(&topic).await.unwrap();
    let reports = bus.publish(events(&topic, 1..2)).await.await;
    assert_eq!(kinds(reports), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_that_pass_are_retried_without_repeats_or_disorder() {
    let (cluster, topic) = mock();
    let brokers = cluster.bootstrap_servers();
    let (not_leader, disconnect) = (
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
    );
    cluster.request_errors(
        RDKafkaApiKey::Produce,
        &[not_leader, disconnect, not_leader],
    );
    let bus = small(&brokers).build().unwrap();
    let published = events(&topic, 0..300);
    assert_eq!(kinds(bus.publish(published.clone()).await.await), []);
    let read = Reader::of(&brokers).read(&topic, 300).await;
    let payloads = |key: &str| -> Vec<Vec<u8>> {
        let of_key = read.iter().filter(|record| record.key == key);
        of_key.map(|record| record.payload.clone()).collect()
    };
    for account in 0..5 {
        let key = format!("account-{account}");
        let expected = published.iter().filter(|event| event.key.as_str() == key);
        let expected: Vec<_> = expected.map(|event| event.payload.to_vec()).collect();
        assert_eq!(payloads(&key), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_broken_for_good_is_reported_and_replaced() {
    let (cluster, topic) = mock();
    let fatal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::InitProducerId, &[fatal]);
    let bus = small(&cluster.bootstrap_servers()).build().unwrap();
    let reports = bus.publish(events(&topic, 0..3)).await.await;
    assert_eq!(
        kinds(reports).len(),
        3,
        "the broken producer reports what it took"
    );

    let deadline = Instant::now() + Duration::from_secs(20);
    while !kinds(bus.publish(events(&topic, 3..4)).await.await).is_empty() {
        assert!(Instant::now() < deadline, "the producer is not replaced");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bus.check_topic(&topic).await.unwrap();
}

#[test]
fn secrets_stay_out_of_debug_and_errors() {
    let builder = KafkaBus::builder(NOBODY).set("sasl.password", "hunter2");
    assert!(format!("{builder:?}").contains("sasl.password"));
    assert!(!format!("{builder:?}").contains("hunter2"));
    let error = builder.clone().set("security.protocol", "hunter2").build();
    assert!(format!("{error:?}").contains("security.protocol"));
    let built = builder.build();
    assert!(!format!("{built:?}").contains("hunter2"));
}
