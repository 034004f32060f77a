//! What tests on real servers share.

#[path = "../../examples/check_demo/kafka.rs"]
#[allow(dead_code)]
mod kafka;

use std::{sync::Arc, time::Duration};

use polling_core::{
    Generator, Topic,
    transport::{SharedQueue, sqs},
};
use tokio::{sync::watch, task::JoinHandle};

const VISIBILITY: Duration = Duration::from_secs(10);

/// The address of a server that `dev/services env` names.
pub(crate) fn address(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: see dev/services env"))
}

/// A name that no other run has.
pub(crate) fn unique(what: &str) -> String {
    format!("{what}-{:08x}", Generator::from_os().next_u64() >> 32)
}

/// A topic of four partitions.
pub(crate) async fn new_topic() -> Topic {
    let topic = Topic::new(unique("e2e")).unwrap();
    polling_core::transport::kafka::create_topic(&address("POLLING_KAFKA_BROKERS"), &topic, 4, 1)
        .await
        .unwrap();
    topic
}

/// All of a topic.
pub(crate) async fn read(topic: &Topic) -> Vec<kafka::Record> {
    let (brokers, topic) = (address("POLLING_KAFKA_BROKERS"), topic.to_string());
    tokio::task::spawn_blocking(move || kafka::read(&brokers, &topic).unwrap())
        .await
        .unwrap()
}

/// The three queues of a channel, on the SQS server.
pub(crate) struct Queues {
    pub(crate) work: SharedQueue,
    pub(crate) completed: SharedQueue,
    pub(crate) dead_letter: SharedQueue,
}

impl Queues {
    /// Creates them, under names of their own.
    pub(crate) async fn create() -> Self {
        let config = sqs::load_config()
            .await
            .into_builder()
            .endpoint_url(address("POLLING_SQS_ENDPOINT"))
            .build();
        let client = sqs::client(&config);
        let names = ["dead", "work", "completed"].map(unique);
        let [dead, work, completed] = &names;
        sqs::create_queue(&client, &sqs::QueueSpec::new(dead, VISIBILITY))
            .await
            .unwrap();
        for name in [work, completed] {
            sqs::create_queue(
                &client,
                &sqs::QueueSpec::new(name, VISIBILITY).dead_letter(dead, 3),
            )
            .await
            .unwrap();
        }
        let connect = async |name| {
            Arc::new(sqs::SqsQueue::connect(&client, name).await.unwrap()) as SharedQueue
        };
        Self {
            work: connect(work).await,
            completed: connect(completed).await,
            dead_letter: connect(dead).await,
        }
    }
}

/// Something that runs until told to stop.
pub(crate) fn spawn<F: Future + Send + 'static>(
    run: impl FnOnce(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) -> F,
    stop: &watch::Receiver<bool>,
) -> JoinHandle<F::Output>
where
    F::Output: Send,
{
    let mut stop = stop.clone();
    tokio::spawn(run(Box::pin(async move {
        let _ = stop.wait_for(|stop| *stop).await;
    })))
}
