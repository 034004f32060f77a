//! A producer's queue that is much smaller than what is published.

use polling_model::event_headers;
use polling_transport::{
    EventBus,
    conformance::bus::{BusReader, Record, events},
    kafka::{KafkaBus, KafkaBusBuilder, create_topic},
};

use crate::{Reader, brokers, fresh_topic, mock, small};

const COUNT: usize = 50_000;

/// Publishes [`COUNT`] events in one batch and expects all of them, once, in order per key.
async fn publish_and_count(builder: KafkaBusBuilder, brokers: &str, topic: &polling_model::Topic) {
    let bus = builder.build().unwrap();
    let published = events(topic, 0..COUNT);
    let reports = bus.publish(published.clone()).await.await;
    assert_eq!(reports.len(), COUNT);
    let failed = reports.iter().find_map(|report| report.as_ref().err());
    assert!(failed.is_none(), "{failed:?}");
    let read = Reader::of(brokers).read(topic, COUNT).await;
    for account in 0..5 {
        let key = format!("account-{account}");
        let of_key = |record: &&Record| record.key == key;
        let ids = |records: &[Record]| -> Vec<String> {
            let id = |record: &Record| record.headers[event_headers::ID].clone();
            records.iter().filter(of_key).map(id).collect()
        };
        let expected: Vec<Record> = published.iter().cloned().map(Record::from).collect();
        assert!(ids(&read) == ids(&expected), "{key} lost or mixed events");
    }
    assert_eq!(read.len(), COUNT);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn fifty_thousand_events_pass_a_queue_of_a_hundred() {
    let (brokers, topic) = (brokers(), fresh_topic());
    create_topic(&brokers, &topic, 3, 1).await.unwrap();
    publish_and_count(small(&brokers), &brokers, &topic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_events_pass_a_queue_of_a_hundred_on_a_mock() {
    let (cluster, topic) = mock();
    let brokers = cluster.bootstrap_servers();
    publish_and_count(small(&brokers), &brokers, &topic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_full_in_bytes_makes_publishing_wait() {
    let (cluster, topic) = mock();
    let brokers = cluster.bootstrap_servers();
    let few_bytes = KafkaBus::builder(&brokers).set("queue.buffering.max.kbytes", "64");
    publish_and_count(few_bytes, &brokers, &topic).await;
}
