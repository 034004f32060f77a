//! Kafka, read from its first offset to its end with librdkafka's plain consumer.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context as _, bail, ensure};
use rdkafka::{
    ClientConfig, Message, Offset, Timestamp, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::{BorrowedMessage, Headers},
};

/// The longest wait for the next record, or for the broker.
const PATIENCE: Duration = Duration::from_secs(30);

/// The header by which consumers drop repeats.
const EVENT_ID: &str = "event-id";

/// A record of the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// When the broker appended it, UTC milliseconds, if the topic's records are dated so.
    pub(crate) appended_ms: Option<i64>,
    /// The account, if all is well.
    pub(crate) key: String,
    pub(crate) event_id: String,
}

/// All records of `topic`, each partition's in its order.
pub(crate) fn read(brokers: &str, topic: &str) -> anyhow::Result<Vec<Record>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "check-demo")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()?;
    let partitions = partitions(&consumer, topic)?;
    let mut beginning = TopicPartitionList::new();
    for partition in &partitions {
        beginning.add_partition_offset(topic, *partition, Offset::Beginning)?;
    }
    consumer.assign(&beginning)?;
    let mut open: BTreeSet<i32> = partitions.into_iter().collect();
    let mut records = Vec::new();
    while !open.is_empty() {
        match consumer.poll(PATIENCE) {
            Some(Ok(message)) => records.push(record(&message)?),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
            }
            // librdkafka reconnects by itself; what it cannot mend ends in the branch below.
            Some(Err(_)) => {}
            None => bail!(
                "nothing more within {PATIENCE:?}, after {} records",
                records.len()
            ),
        }
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    Ok(records)
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<Vec<i32>> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions: Vec<i32> = found
        .context("the broker does not answer for the topic")?
        .partitions()
        .iter()
        .map(|partition| partition.id())
        .collect();
    ensure!(!partitions.is_empty(), "there is no such topic");
    Ok(partitions)
}

fn record(message: &BorrowedMessage<'_>) -> anyhow::Result<Record> {
    let place = || {
        format!(
            "partition {}, offset {}",
            message.partition(),
            message.offset()
        )
    };
    let mut headers = message.headers().into_iter().flat_map(Headers::iter);
    let event_id = headers
        .find(|header| header.key == EVENT_ID)
        .and_then(|header| header.value)
        .with_context(|| format!("no header {EVENT_ID}"))
        .with_context(place)?;
    Ok(Record {
        partition: message.partition(),
        offset: message.offset(),
        appended_ms: appended_ms(message.timestamp()),
        key: text(message.key().unwrap_or_default()),
        event_id: text(event_id),
    })
}

fn appended_ms(timestamp: Timestamp) -> Option<i64> {
    match timestamp {
        Timestamp::LogAppendTime(at_ms) => Some(at_ms),
        Timestamp::CreateTime(_) | Timestamp::NotAvailable => None,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
