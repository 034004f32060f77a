//! Queues on SQS, the store on Redis, events to Kafka.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use aws_sdk_sqs::Client;
use polling_model::Topic;
use polling_transport::{
    SharedQueue,
    kafka::{self, KafkaBus},
    sqs::{self, QueueSpec, SqsQueue},
};
use scheduler_lib::ledger::MemoryLedger;

use super::{Ports, Requests, streams};
use crate::redis_server::RedisServer;

const QUEUES: [&str; 3] = ["work", "completed", "dead-letter"];
const VISIBILITY: Duration = Duration::from_secs(60);
const MAX_RECEIVES: u32 = 3;
const PARTITIONS: u16 = 4;

/// Where the servers are, as `dev/services env` names them.
#[derive(Debug, Clone)]
pub struct Servers {
    /// `redis://host:port/`
    pub redis: String,
    /// `http://host:port`
    pub sqs: String,
    /// `host:port`
    pub kafka: String,
}

impl Servers {
    /// A client for SQS, with the settings that a user has.
    pub async fn sqs_client(&self) -> Client {
        let config = sqs::load_config().await;
        let config = config.into_builder().endpoint_url(&self.sqs).build();
        sqs::client(&config)
    }

    /// Removes what a cycle left in Redis, and its queues.
    ///
    /// # Errors
    ///
    /// A server's.
    pub async fn clear(&self) -> anyhow::Result<()> {
        RedisServer::empty_at(&self.redis).await?;
        self.delete_queues(&QUEUES).await
    }

    /// Deletes queues with all that is in them.
    pub(crate) async fn delete_queues(&self, names: &[&str]) -> anyhow::Result<()> {
        let client = self.sqs_client().await;
        for name in names {
            let found = client.get_queue_url().queue_name(*name).send().await?;
            let call = client.delete_queue().set_queue_url(found.queue_url);
            call.send().await?;
        }
        Ok(())
    }

    /// New queues, whose requests are counted, a topic, and a store on an empty Redis.
    ///
    /// # Errors
    ///
    /// A server's.
    pub async fn ports(&self, topic: &Topic, requests: &Requests) -> anyhow::Result<Ports> {
        let client = self.sqs_client().await;
        let dead = QueueSpec::new("dead-letter", VISIBILITY);
        sqs::create_queue(&client, &dead).await?;
        for name in ["work", "completed"] {
            let spec = QueueSpec::new(name, VISIBILITY).dead_letter("dead-letter", MAX_RECEIVES);
            sqs::create_queue(&client, &spec).await?;
        }
        kafka::create_topic(&self.kafka, topic, PARTITIONS, 1)
            .await
            .context("cannot create the topic")?;
        let queue = async |name: &str| {
            let observer = Arc::new(requests.clone());
            let queue = SqsQueue::connect_observed(&client, name, observer).await?;
            let queue: SharedQueue = Arc::new(queue);
            anyhow::Ok(queue)
        };
        Ok(Ports {
            store: streams::store(&self.redis).await?,
            ledger: Arc::new(MemoryLedger::new()),
            work: queue("work").await?,
            completed: queue("completed").await?,
            dead_letter: queue("dead-letter").await?,
            bus: Arc::new(KafkaBus::builder(&self.kafka).build()?),
        })
    }
}
