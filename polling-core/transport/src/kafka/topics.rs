//! Topics: whether one can be published to, and creating one.

use std::time::Duration;

use polling_model::Topic;
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    error::{KafkaError, KafkaResult},
    producer::Producer as _,
    types::RDKafkaErrorCode,
};
use tokio::runtime::Handle;

use super::{KafkaBus, KafkaConfigError, error, producer};
use crate::bus::{BusError, BusErrorKind};

/// How long [`check_topic`](crate::EventBus::check_topic) waits for an answer.
const CHECK_DEADLINE: Duration = Duration::from_secs(5);

/// How long creating a topic may take.
const CREATE_DEADLINE: Duration = Duration::from_secs(15);

impl KafkaBus {
    /// Creates a topic with so many partitions, each in so many copies, and waits until it is
    /// there. An existing topic is left as it is: that is no error.
    ///
    /// # Errors
    ///
    /// [`BusError`] that says why the cluster refuses, or that it cannot be reached.
    pub async fn create_topic(
        &self,
        topic: &Topic,
        partitions: u16,
        replication: u16,
    ) -> Result<(), BusError> {
        let config = self.inner.producers.config().clone();
        let (name, runtime) = (topic.clone(), Handle::current());
        // The client's constructor and drop block.
        let created = tokio::task::spawn_blocking(move || -> KafkaResult<()> {
            let admin: AdminClient<DefaultClientContext> = config.create()?;
            let copies = TopicReplication::Fixed(i32::from(replication));
            let new = NewTopic::new(name.as_str(), i32::from(partitions), copies);
            let options = AdminOptions::new()
                .request_timeout(Some(CREATE_DEADLINE))
                .operation_timeout(Some(CREATE_DEADLINE));
            for result in runtime.block_on(admin.create_topics([&new], &options))? {
                match result {
                    Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                    Err((_, code)) => return Err(KafkaError::Global(code)),
                }
            }
            Ok(())
        });
        self.answer(topic, created.await)
    }

    pub(super) async fn check(&self, topic: &Topic) -> Result<(), BusError> {
        let mut served = self.inner.producers.current();
        if let Some(reason) = producer::fatal_error(&served) {
            let fresh = self.inner.producers.replace(&served);
            served = fresh.ok_or_else(|| error::broken(topic.clone(), Some(reason)))?;
        }
        let name = topic.clone();
        let checked = tokio::task::spawn_blocking(move || -> KafkaResult<()> {
            let client = served.client.client();
            let metadata = client.fetch_metadata(Some(name.as_str()), CHECK_DEADLINE)?;
            let answer = metadata.topics().iter().find(|t| t.name() == name.as_str());
            match answer.map(|topic| topic.error()) {
                Some(None) => Ok(()),
                Some(Some(code)) => Err(KafkaError::MetadataFetch(code.into())),
                None => Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic)),
            }
        });
        self.answer(topic, checked.await)
    }

    fn answer(
        &self,
        topic: &Topic,
        result: Result<KafkaResult<()>, tokio::task::JoinError>,
    ) -> Result<(), BusError> {
        match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let trouble = self.inner.producers.connections.trouble();
                Err(error::explain(topic.clone(), error, trouble))
            }
            Err(panic) => Err(BusError::new(topic.clone(), BusErrorKind::Other).caused_by(panic)),
        }
    }
}

/// Creates a topic as [`KafkaBus::create_topic`] does, for programs that have no bus.
///
/// # Errors
///
/// As [`KafkaBus::create_topic`].
///
/// # Panics
///
/// Outside a Tokio runtime.
pub async fn create_topic(
    brokers: &str,
    topic: &Topic,
    partitions: u16,
    replication: u16,
) -> Result<(), BusError> {
    let bus = KafkaBus::builder(brokers)
        .build()
        .map_err(|e: KafkaConfigError| {
            BusError::new(topic.clone(), BusErrorKind::Other).caused_by(e)
        })?;
    bus.create_topic(topic, partitions, replication).await
}
