//! The event bus on Kafka: the port's conformance suite on a real broker and on librdkafka's mock
//! of one, and what is its own.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of tests may panic as a test may"
)]

mod buffer;
mod failures;
mod reader;

use std::sync::Arc;

use polling_model::{Generator, Topic};
use polling_transport::{
    conformance::bus::{BUFFER, BusUnderTest},
    kafka::{KafkaBus, KafkaBusBuilder, create_topic},
};
use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext, types::RDKafkaRespErr};

use self::reader::Reader;

const PARTITIONS: u16 = 3;

type Mock = MockCluster<'static, DefaultProducerContext>;

fn fresh_topic() -> Topic {
    let number = Generator::from_os().next_u64();
    format!("bus-test-{number:016x}").parse().unwrap()
}

/// The brokers of the services' environment.
fn brokers() -> String {
    std::env::var("POLLING_KAFKA_BROKERS").expect("`dev/services env` sets POLLING_KAFKA_BROKERS")
}

fn small(brokers: &str) -> KafkaBusBuilder {
    KafkaBus::builder(brokers)
        .set("queue.buffering.max.messages", BUFFER.to_string())
        .set("allow.auto.create.topics", "false")
        .set("topic.metadata.propagation.max.ms", "1000")
}

fn under_test(brokers: &str, topic: Topic, missing: Topic) -> BusUnderTest {
    BusUnderTest {
        bus: Arc::new(small(brokers).build().unwrap()),
        reader: Box::new(Reader::of(brokers)),
        topic,
        missing_topic: Some(missing),
    }
}

/// On a broker, with a topic of its own.
async fn real() -> BusUnderTest {
    let (brokers, topic) = (brokers(), fresh_topic());
    create_topic(&brokers, &topic, PARTITIONS, 1).await.unwrap();
    under_test(&brokers, topic, fresh_topic())
}

/// A mock of a cluster, of three brokers, with a topic.
fn mock() -> (Mock, Topic) {
    let cluster = MockCluster::new(3).unwrap();
    let topic = fresh_topic();
    cluster
        .create_topic(topic.as_str(), i32::from(PARTITIONS), 1)
        .unwrap();
    (cluster, topic)
}

async fn mocked() -> BusUnderTest {
    let (cluster, topic) = mock();
    let missing = fresh_topic();
    let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    cluster.topic_error(missing.as_str(), unknown).unwrap();
    let fixture = under_test(&cluster.bootstrap_servers(), topic, missing);
    // It has to outlive the test, which knows only the fixture.
    std::mem::forget(cluster);
    fixture
}

mod conformance_on_a_mock {
    polling_transport::bus_conformance! {
        #[tokio::test(flavor = "multi_thread")]
        super::mocked
    }
}

mod conformance_on_a_broker {
    polling_transport::bus_conformance! {
        #[tokio::test(flavor = "multi_thread")]
        #[ignore = "needs dev/services"]
        super::real
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn creating_a_topic_twice_is_no_error() {
    let (brokers, topic) = (brokers(), fresh_topic());
    create_topic(&brokers, &topic, 1, 1).await.unwrap();
    create_topic(&brokers, &topic, 5, 1).await.unwrap();
    let error = create_topic(&brokers, &fresh_topic(), 1, 9)
        .await
        .unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.to_lowercase().contains("replication"), "{source}");
}
