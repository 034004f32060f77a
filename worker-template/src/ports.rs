//! Where jobs come from and events go to: features and the environment decide.

use std::sync::Arc;

use polling_core::{SharedBus, SharedQueue};

use crate::Options;

/// The queues and the bus of a worker.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) work: SharedQueue,
    pub(crate) completed: SharedQueue,
    pub(crate) bus: SharedBus,
}

impl Ports {
    pub(crate) async fn open(options: &Options) -> anyhow::Result<Self> {
        let (work, completed) = queues(options).await?;
        let bus = bus(options)?;
        Ok(Self {
            work,
            completed,
            bus,
        })
    }
}

#[cfg(feature = "sqs")]
async fn queues(options: &Options) -> anyhow::Result<(SharedQueue, SharedQueue)> {
    use polling_core::transport::sqs::{self, SqsQueue};

    let mut config = sqs::client_config(&sqs::load_config().await);
    if let Some(endpoint) = &options.sqs_endpoint {
        config = config.endpoint_url(endpoint);
    }
    let client = sqs::Client::from_conf(config.build());
    let work = SqsQueue::connect(&client, &options.work_queue).await?;
    let completed = SqsQueue::connect(&client, &options.completed_queue).await?;
    Ok((Arc::new(work), Arc::new(completed)))
}

/// In memory, with a stand-in for the scheduler.
#[cfg(not(feature = "sqs"))]
async fn queues(options: &Options) -> anyhow::Result<(SharedQueue, SharedQueue)> {
    use polling_core::{SystemClock, transport::memory::MemoryQueue};

    let queue = |name: &str| MemoryQueue::builder(name, Arc::new(SystemClock)).build();
    let (work, completed) = (queue(&options.work_queue), queue(&options.completed_queue));
    crate::stand_in::schedule(work.clone(), completed.clone()).await?;
    Ok((work, completed))
}

#[cfg(feature = "kafka")]
fn bus(options: &Options) -> anyhow::Result<SharedBus> {
    use polling_core::transport::kafka::KafkaBus;

    Ok(Arc::new(KafkaBus::builder(&options.kafka_brokers).build()?))
}

/// In memory, with a stand-in for the consumer.
#[cfg(not(feature = "kafka"))]
fn bus(options: &Options) -> anyhow::Result<SharedBus> {
    use polling_core::transport::memory::MemoryBus;

    let bus = MemoryBus::new();
    crate::stand_in::consume(bus.clone(), options.topic.clone());
    Ok(Arc::new(bus))
}
