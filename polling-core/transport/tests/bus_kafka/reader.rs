//! Reading a topic from its first event, with a client of its own.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use polling_model::Topic;
use polling_transport::conformance::bus::{BusReader, Record};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::{BorrowedMessage, Headers},
};

#[derive(Debug)]
pub(crate) struct Reader {
    brokers: String,
}

impl Reader {
    pub(crate) fn of(brokers: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
        }
    }

    fn consumer(&self, topic: &str) -> (BaseConsumer, usize) {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", "bus-test")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .create()
            .unwrap();
        let metadata = consumer
            .fetch_metadata(Some(topic), Duration::from_secs(10))
            .unwrap();
        let partitions = metadata.topics()[0].partitions();
        let mut all = TopicPartitionList::new();
        for partition in partitions {
            all.add_partition_offset(topic, partition.id(), Offset::Beginning)
                .unwrap();
        }
        consumer.assign(&all).unwrap();
        (consumer, partitions.len())
    }

    /// Until there are `count` records and each partition is read to its end.
    fn read_blocking(&self, topic: &str, count: usize) -> Vec<Record> {
        let (consumer, partitions) = self.consumer(topic);
        let (mut records, mut at_end) = (Vec::new(), BTreeSet::new());
        while records.len() < count || at_end.len() < partitions {
            match consumer.poll(Duration::from_secs(60)) {
                Some(Ok(message)) => {
                    at_end.remove(&message.partition());
                    records.push(record_of(&message));
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    at_end.insert(partition);
                }
                // Errors that pass, such as those of a connection.
                Some(Err(_)) => {}
                None => panic!("nothing more after {} of {count} records", records.len()),
            }
        }
        records
    }
}

fn record_of(message: &BorrowedMessage<'_>) -> Record {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Record {
        key: text(message.key().unwrap()),
        payload: message.payload().unwrap_or_default().to_vec(),
        headers: message
            .headers()
            .into_iter()
            .flat_map(Headers::iter)
            .map(|header| (header.key.to_owned(), text(header.value.unwrap())))
            .collect(),
    }
}

#[async_trait]
impl BusReader for Reader {
    async fn read(&self, topic: &Topic, count: usize) -> Vec<Record> {
        let (reader, topic) = (Self::of(&self.brokers), topic.clone());
        tokio::task::spawn_blocking(move || reader.read_blocking(topic.as_str(), count))
            .await
            .unwrap()
    }
}
