//! The proxy before the real servers, whose clients are those of production.

use std::{env, net::SocketAddr, time::Duration};

use polling_model::Generator;
use polling_transport::{
    Queue,
    sqs::{self, QueueSpec, SqsQueue},
};
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
};
use redis::AsyncCommands;
use torture::proxy::{
    DropAction, Dropped, FailEntries, FailedEntry, Faults, KafkaPorts, Protocol, Proxy,
};

use crate::support::{SEED, any_port};

/// For what a server or a client does in its own time.
const PATIENCE: Duration = Duration::from_secs(30);

fn address(variable: &str) -> String {
    let hint = "is set: eval \"$(dev/services env)\"";
    env::var(variable).unwrap_or_else(|_| panic!("{variable} {hint}"))
}

/// The socket behind an address such as `redis://127.0.0.1:6379/`.
fn socket(address: &str) -> SocketAddr {
    let host = address.split("//").last().unwrap().trim_end_matches('/');
    host.parse().unwrap()
}

fn unique(prefix: &str) -> String {
    format!("{prefix}-{:016x}", Generator::from_os().next_u64())
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn redis_has_done_what_the_client_never_hears_of() {
    let server = address("POLLING_REDIS_URL");
    let proxy = Proxy::start(any_port(), socket(&server), Protocol::Redis, SEED)
        .await
        .unwrap();
    let through = redis::Client::open(format!("redis://{}/", proxy.address())).unwrap();
    let mut connection = through.get_multiplexed_async_connection().await.unwrap();
    let key = unique("proxy");
    let cut = Faults {
        cut_reply: 1.0,
        ..Faults::default()
    };
    proxy.set(cut).await.unwrap();
    let added: redis::RedisResult<u64> = connection.incr(&key, 1).await;
    assert!(added.is_err(), "{added:?}");
    assert_eq!(proxy.counts()["cut-reply"], 1);
    proxy.set(Faults::default()).await.unwrap();
    let mut connection = through.get_multiplexed_async_connection().await.unwrap();
    let (added, gone): (u64, u64) = redis::pipe()
        .get(&key)
        .del(&key)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!((added, gone), (1, 1));
}

/// A new queue, and the way to it through a proxy.
async fn queue() -> (Proxy, SqsQueue) {
    let server = address("POLLING_SQS_ENDPOINT");
    let proxy = Proxy::start(any_port(), socket(&server), Protocol::Http, SEED)
        .await
        .unwrap();
    let config = sqs::load_config().await.into_builder();
    let config = config
        .endpoint_url(format!("http://{}", proxy.address()))
        .build();
    let client = sqs::client(&config);
    let name = unique("proxy");
    let spec = QueueSpec::new(&name, Duration::from_secs(60));
    sqs::create_queue(&client, &spec).await.unwrap();
    let queue = SqsQueue::connect(&client, &name).await.unwrap();
    (proxy, queue)
}

async fn send(queue: &SqsQueue, count: usize) -> usize {
    let bodies = (0..count).map(|n| format!("job {n}")).collect();
    let sent = queue.send(bodies).await;
    sent.iter().filter(|sent| sent.is_ok()).count()
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn sqs_messages_are_given_twice_within_their_visibility_timeout() {
    let (proxy, queue) = queue().await;
    assert_eq!(send(&queue, 3).await, 3);
    let first = queue.receive(5, PATIENCE / 10).await.unwrap();
    let replay = Faults {
        replay_receive: 1.0,
        ..Faults::default()
    };
    proxy.set(replay).await.unwrap();
    let again = queue.receive(5, PATIENCE / 10).await.unwrap();
    assert!(!again.is_empty());
    let was_first = |receipt| first.iter().any(|message| message.receipt == receipt);
    assert!(
        again
            .iter()
            .all(|message| was_first(message.receipt.clone()))
    );
    assert_eq!(proxy.counts()["replay-receive"], again.len() as u64);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn sqs_never_hears_of_the_action_that_is_dropped() {
    let (proxy, queue) = queue().await;
    assert_eq!(send(&queue, 1).await, 1);
    let messages = queue.receive(1, PATIENCE / 10).await.unwrap();
    let drop_deletes = Faults {
        drop_actions: vec![DropAction {
            action: "DeleteMessage".to_owned(),
            probability: 1.0,
            answer: Dropped::Error500,
        }],
        ..Faults::default()
    };
    proxy.set(drop_deletes).await.unwrap();
    queue.ack(&messages[0].receipt).await.unwrap_err();
    assert!(proxy.counts()["drop-action"] > 0);
    assert_eq!(queue.stats().await.unwrap().in_flight, 1);
    proxy.set(Faults::default()).await.unwrap();
    queue.ack(&messages[0].receipt).await.unwrap();
    assert_eq!(queue.stats().await.unwrap().in_flight, 0);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn sqs_batches_fail_in_part() {
    for (entry, all_arrive) in [
        (FailedEntry::NotDelivered, false),
        (FailedEntry::Delivered, true),
    ] {
        let (proxy, queue) = queue().await;
        let fail = Faults {
            fail_entries: Some(FailEntries {
                probability: 0.5,
                entry,
            }),
            ..Faults::default()
        };
        proxy.set(fail).await.unwrap();
        let sent = send(&queue, 40).await;
        assert_eq!(proxy.counts()["fail-entry"], 40 - sent as u64);
        assert!(sent > 0 && sent < 40, "{sent}");
        let arrived = queue.stats().await.unwrap().visible;
        assert_eq!(arrived, if all_arrive { 40 } else { sent as u64 });
    }
}

/// Sends so many records, one by one, and waits for all delivery reports.
fn produce(brokers: &str, topic: &str, count: usize) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("linger.ms", "0")
        .set("reconnect.backoff.max.ms", "200")
        .create()
        .unwrap();
    for n in 0..count {
        let key = n.to_string();
        producer
            .send(BaseRecord::to(topic).key(&key).payload("event"))
            .unwrap();
        producer.flush(PATIENCE).unwrap();
    }
}

/// Records of a topic, over all its partitions.
fn records(brokers: &str, topic: &str) -> i64 {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
    let partitions = metadata.topics()[0].partitions().iter();
    let watermarks = |id| consumer.fetch_watermarks(topic, id, PATIENCE).unwrap();
    partitions
        .map(|partition| watermarks(partition.id()).1)
        .sum()
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn kafka_clients_stay_behind_the_proxy_and_send_again_what_was_cut() {
    let brokers = address("POLLING_KAFKA_BROKERS");
    let ports = KafkaPorts::of(&brokers).unwrap();
    let proxy = Proxy::start(ports.listen, ports.upstream, Protocol::Kafka, SEED)
        .await
        .unwrap();
    let cut = Faults {
        cut_reply: 0.2,
        ..Faults::default()
    };
    proxy.set(cut).await.unwrap();
    let (through, topic) = (proxy.address().to_string(), unique("proxy"));
    let delivered = tokio::task::spawn_blocking(move || {
        produce(&through, &topic, 30);
        records(&brokers, &topic)
    });
    assert_eq!(delivered.await.unwrap(), 30);
    assert!(proxy.counts()["cut-reply"] > 3);
}
