//! `rdkafka`, by its own methods.

use std::{
    collections::BTreeSet,
    process,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use polling_ops::{
    clients::{
        Monitored,
        kafka::{ConsumerCallbacks, MonitoredContext, error_word},
    },
    metrics::Metrics,
};
use rdkafka::{
    ClientConfig, ClientContext, Message as _, Offset,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, CommitMode, Consumer as _, Rebalance, StreamConsumer},
    message::DeliveryResult,
    producer::{
        BaseRecord, FutureProducer, FutureRecord, Producer as _, ProducerContext, ThreadedProducer,
        future_producer::OwnedDeliveryResult,
    },
};

use crate::{Told, address, told};

const WAIT: Duration = Duration::from_secs(20);

fn config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", address("POLLING_KAFKA_BROKERS"))
        .set("statistics.interval.ms", "100")
        .set("auto.offset.reset", "earliest");
    config
}

/// A user's own context: what it is called back with.
#[derive(Clone, Default)]
struct Mine(Arc<Mutex<BTreeSet<&'static str>>>);

impl Mine {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().insert(what);
    }
}

impl ClientContext for Mine {
    fn stats(&self, _: rdkafka::Statistics) {
        self.note("stats");
    }
}

impl ProducerContext for Mine {
    type DeliveryOpaque = Box<&'static str>;

    fn delivery(&self, result: &DeliveryResult<'_>, what: Box<&'static str>) {
        self.note(*what);
        self.note(if result.is_ok() {
            "delivered"
        } else {
            "failed"
        });
    }
}

impl ConsumerCallbacks for Mine {
    fn pre_rebalance(&self, _: &BaseConsumer<MonitoredContext<Self>>, _: &Rebalance<'_>) {
        self.note("pre");
    }

    fn post_rebalance(&self, _: &BaseConsumer<MonitoredContext<Self>>, _: &Rebalance<'_>) {
        self.note("post");
    }
}

/// Looks until the client has told all of these, at its statistics.
async fn told_all(metrics: &Metrics, client: &str, operations: &[&str]) -> Told {
    let started = Instant::now();
    loop {
        let told = told(metrics, client).await;
        let there = |operation: &&str| told.requests.contains_key(*operation);
        if operations.iter().all(there) && told.calls.contains_key("round_trip") {
            return told;
        }
        assert!(started.elapsed() < WAIT, "{client} told {told:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn create(topic: &str) {
    let admin: AdminClient<DefaultClientContext> = config().create().unwrap();
    let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
    let created = admin.create_topics([&new], &AdminOptions::new()).await;
    created.unwrap()[0].as_ref().unwrap();
    // It is created before the broker leads it.
    let led = || {
        let metadata = admin.inner().fetch_metadata(Some(topic), WAIT).unwrap();
        let partitions = metadata.topics()[0].partitions();
        partitions
            .first()
            .is_some_and(|it| it.leader() >= 0 && it.error().is_none())
    };
    let started = Instant::now();
    while !led() {
        assert!(started.elapsed() < WAIT, "nobody leads {topic}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn what_a_producer_asks_and_delivers_is_told() {
    let topic = format!("clients-produced-{}", process::id());
    create(&topic).await;
    let (metrics, mine) = (Metrics::new(), Mine::default());
    let context = MonitoredContext::new(mine.clone(), "orders", metrics.observer());
    let producer: ThreadedProducer<_> = config().create_with_context(context).unwrap();
    let record = BaseRecord::with_opaque_to(&topic, Box::new("opaque"))
        .key("k")
        .payload("v");
    producer.send(record).unwrap();
    let nowhere = BaseRecord::with_opaque_to(&topic, Box::new("opaque")).partition(7);
    let sent = producer.send(nowhere.key("k").payload("v"));
    let refused = sent.is_err();
    producer.flush(WAIT).unwrap();
    producer
        .client()
        .fetch_metadata(Some(&topic), WAIT)
        .unwrap();
    producer.client().fetch_watermarks(&topic, 0, WAIT).unwrap();

    let told = told_all(
        &metrics,
        "orders",
        &["Produce", "Metadata", "ListOffsets", "ApiVersion"],
    )
    .await;
    assert!(
        refused || told.errors.contains_key("deliver unknown_partition"),
        "{told:?}"
    );
    assert!(
        told.calls["deliver"] >= 1 && told.seconds["deliver"] > 0.0,
        "{told:?}"
    );
    assert!(told.seconds["round_trip"] > 0.0);
    let called_back = mine.0.lock().unwrap().clone();
    assert!(
        called_back.is_superset(&["stats", "opaque", "delivered"].into()),
        "{called_back:?}"
    );
}

/// Its deliveries are told to their futures alone.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_future_producer_is_told_where_it_is_called() {
    let topic = format!("clients-events-{}", process::id());
    create(&topic).await;
    let metrics = Metrics::new();
    let context = MonitoredContext::new(DefaultClientContext, "events", metrics.observer());
    let mut config = config();
    config.set("allow.auto.create.topics", "false");
    config.set("topic.metadata.propagation.max.ms", "1");
    let producer: FutureProducer<_> = config.create_with_context(context).unwrap();
    let producer = Monitored::new(producer, "events", metrics.observer());
    for topic in [&topic, "clients-no-such-topic"] {
        let sent = producer.send(FutureRecord::to(topic).key("k").payload("v"), WAIT);
        let word = |sent: &OwnedDeliveryResult| sent.as_ref().err().map(|it| error_word(&it.0));
        let sent = producer.call_with("send", sent, word).await;
        assert_eq!(sent.is_err(), topic == "clients-no-such-topic", "{sent:?}");
    }
    let told = told_all(&metrics, "events", &["Produce"]).await;
    assert_eq!(told.calls["send"], 2);
    assert_eq!(told.errors["send unknown_topic"], 1);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn what_a_consumer_asks_is_told() {
    let topic = format!("clients-consumed-{}", process::id());
    create(&topic).await;
    let producer: FutureProducer = config().create().unwrap();
    let record = FutureRecord::to(&topic).key("k").payload("v");
    producer.send(record, WAIT).await.unwrap();

    let (metrics, mine) = (Metrics::new(), Mine::default());
    let context = MonitoredContext::new(mine.clone(), "readers", metrics.observer());
    let mut config = config();
    config.set("group.id", &topic);
    let consumer: StreamConsumer<_> = config.create_with_context(context).unwrap();
    consumer.subscribe(&[&topic]).unwrap();
    let message = consumer.recv().await.unwrap();
    assert_eq!(message.payload(), Some(&b"v"[..]));
    consumer
        .commit_message(&message, CommitMode::Async)
        .unwrap();
    assert_eq!(consumer.committed(WAIT).unwrap().count(), 1);
    consumer.fetch_watermarks(&topic, 0, WAIT).unwrap();
    consumer.fetch_metadata(None, WAIT).unwrap();
    consumer.fetch_group_list(None, WAIT).unwrap();
    consumer.seek(&topic, 0, Offset::Beginning, WAIT).unwrap();
    consumer.recv().await.unwrap();

    let requests = [
        "Fetch",
        "Metadata",
        "FindCoordinator",
        "JoinGroup",
        "SyncGroup",
        "Heartbeat",
        "OffsetCommit",
        "OffsetFetch",
        "ListOffsets",
        "ListGroups",
        "ApiVersion",
        "assign",
    ];
    let polling = async {
        loop {
            // Callbacks are served while the consumer is polled; there is nothing more to receive.
            consumer.recv().await.unwrap();
        }
    };
    let told = tokio::select! {
        biased;
        told = told_all(&metrics, "readers", &requests) => told,
        () = polling => unreachable!("it polls for ever"),
    };
    assert!(told.seconds["round_trip"] > 0.0, "{told:?}");
    let called_back = mine.0.lock().unwrap().clone();
    assert_eq!(called_back, ["stats", "pre", "post"].into());
}

/// Nobody serves the statistics of such a client.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn an_administrator_is_told_where_it_is_called() {
    let topic = format!("clients-managed-{}", process::id());
    let metrics = Metrics::new();
    let admin: AdminClient<DefaultClientContext> = config().create().unwrap();
    let admin = Monitored::new(admin, "admin", metrics.observer());
    let options = AdminOptions::new();
    let new = NewTopic::new(&topic, 1, TopicReplication::Fixed(1));
    let created = admin.create_topics([&new], &options);
    admin.call("create_topics", created).await.unwrap();
    let deleted = admin.delete_topics(&[&topic], &options);
    admin.call("delete_topics", deleted).await.unwrap();
    let told = told(&metrics, "admin").await;
    assert_eq!(
        (told.calls["create_topics"], told.calls["delete_topics"]),
        (1, 1)
    );
}
