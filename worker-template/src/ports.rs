//! Where jobs come from and events go to: the options decide, among what was built.

use std::sync::Arc;

#[cfg(feature = "redis")]
use polling_core::transport::redis;
#[cfg(feature = "sqs")]
use polling_core::transport::sqs;
use polling_core::{
    SharedBus, SharedObserver, SharedQueue, SystemClock,
    transport::{
        Metered,
        memory::{MemoryBus, MemoryQueue},
    },
};
use polling_ops::health::checks;

use crate::{
    health::Probes,
    options::{Bus, Options, Queues},
    stand_in,
};

/// The queues and the bus of a worker.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) work: SharedQueue,
    pub(crate) completed: SharedQueue,
    pub(crate) bus: SharedBus,
}

impl Ports {
    /// A queue that is missing, or does not answer, is waited for.
    /// `observer` is told each call.
    pub(crate) async fn open(
        options: &Options,
        probes: &Probes,
        observer: &SharedObserver,
    ) -> anyhow::Result<Self> {
        let (work, completed) = match options.queues {
            Queues::Memory => in_memory(options).await?,
            Queues::Sqs => sqs(options, probes, observer).await?,
            Queues::Redis => redis(options, probes).await?,
        };
        let bus = match options.bus {
            Bus::Memory => consumed(options),
            Bus::Kafka => kafka(options)?,
        };
        probes.work.found(checks::queue(work.clone()));
        probes.completed.found(checks::queue(completed.clone()));
        let topic = options.topic.clone();
        probes.bus.found(checks::topic(bus.clone(), topic));
        Ok(Self {
            work: metered(work, observer),
            completed: metered(completed, observer),
            bus: Arc::new(Metered::new(bus, "bus", observer.clone())),
        })
    }
}

fn metered(queue: SharedQueue, observer: &SharedObserver) -> SharedQueue {
    let name = queue.name().to_owned();
    Arc::new(Metered::new(queue, name, observer.clone()))
}

/// In memory, with a stand-in for the scheduler.
async fn in_memory(options: &Options) -> anyhow::Result<(SharedQueue, SharedQueue)> {
    let queue = |name: &str| MemoryQueue::builder(name, Arc::new(SystemClock)).build();
    let (work, completed) = (queue(&options.work_queue), queue(&options.completed_queue));
    stand_in::scheduler::schedule(work.clone(), completed.clone()).await?;
    Ok((work, completed))
}

/// In memory, with a stand-in for the consumer.
fn consumed(options: &Options) -> SharedBus {
    let bus = MemoryBus::new();
    stand_in::consumer::consume(bus.clone(), options.topic.clone());
    Arc::new(bus)
}

#[cfg(feature = "sqs")]
async fn sqs(
    options: &Options,
    probes: &Probes,
    observer: &SharedObserver,
) -> anyhow::Result<(SharedQueue, SharedQueue)> {
    let mut config = sqs::client_config(&sqs::load_config().await);
    if let Some(endpoint) = &options.sqs_endpoint {
        config = config.endpoint_url(endpoint);
    }
    let client = sqs::Client::from_conf(config.build());
    let connect = async |name: &str, late| {
        let observed = || sqs::SqsQueue::connect_observed(&client, name, observer.clone());
        let queue: SharedQueue = Arc::new(Probes::until(late, async || observed().await).await);
        queue
    };
    let work = connect(&options.work_queue, &probes.work).await;
    let completed = connect(&options.completed_queue, &probes.completed).await;
    Ok((work, completed))
}

#[cfg(not(feature = "sqs"))]
async fn sqs(
    _: &Options,
    _: &Probes,
    _: &SharedObserver,
) -> anyhow::Result<(SharedQueue, SharedQueue)> {
    anyhow::bail!("this worker was built without SQS: build it with --features sqs")
}

#[cfg(feature = "redis")]
async fn redis(options: &Options, probes: &Probes) -> anyhow::Result<(SharedQueue, SharedQueue)> {
    let client = redis::Client::builder(&options.redis_url.0, &options.queue_space);
    let client = client.consumer(&options.name).build()?;
    let connect = async |name: &str, late| {
        let found = async || redis::RedisQueue::connect(&client, name).await;
        let queue: SharedQueue = Arc::new(Probes::until(late, found).await);
        queue
    };
    let work = connect(&options.work_queue, &probes.work).await;
    let completed = connect(&options.completed_queue, &probes.completed).await;
    Ok((work, completed))
}

#[cfg(not(feature = "redis"))]
async fn redis(_: &Options, _: &Probes) -> anyhow::Result<(SharedQueue, SharedQueue)> {
    anyhow::bail!("this worker was built without Redis: build it with --features redis")
}

#[cfg(feature = "kafka")]
fn kafka(options: &Options) -> anyhow::Result<SharedBus> {
    use polling_core::transport::kafka::KafkaBus;

    Ok(Arc::new(KafkaBus::builder(&options.kafka_brokers).build()?))
}

#[cfg(not(feature = "kafka"))]
fn kafka(_: &Options) -> anyhow::Result<SharedBus> {
    anyhow::bail!("this worker was built without Kafka: build it with --features kafka")
}
