//! Queues on SQS, the store on Redis, events to Kafka.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::Context as _;
use aws_sdk_sqs::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef,
    },
    error::BoxError,
};
use polling_model::Topic;
use polling_transport::{
    SharedQueue,
    kafka::{self, KafkaBus},
    sqs::{self, QueueSpec, SqsQueue},
};
use scheduler_lib::ledger::MemoryLedger;

use super::{Ports, streams};

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

/// Requests that a client has sent.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<AtomicU64>);

impl Requests {
    /// So far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Intercept for Requests {
    fn name(&self) -> &'static str {
        "requests"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Relaxed);
        Ok(())
    }
}

impl Servers {
    /// A client for SQS whose requests are counted.
    pub async fn sqs_client(&self, requests: &Requests) -> Client {
        let config = sqs::load_config().await;
        let config = config.into_builder().endpoint_url(&self.sqs).build();
        let config = sqs::client_config(&config).interceptor(requests.clone());
        Client::from_conf(config.build())
    }

    /// New queues, a new topic, and a store on an empty Redis.
    ///
    /// # Errors
    ///
    /// A server's.
    pub async fn ports(&self, topic: &Topic, requests: &Requests) -> anyhow::Result<Ports> {
        let client = self.sqs_client(requests).await;
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
            let queue: SharedQueue = Arc::new(SqsQueue::connect(&client, name).await?);
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
