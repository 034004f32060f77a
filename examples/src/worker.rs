//! A worker around a poller: jobs from SQS, events to Kafka.

use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use polling_core::{
    Poller, Topic, Worker, WorkerConfig,
    transport::{
        SharedQueue,
        kafka::KafkaBus,
        sqs::{self, SqsQueue},
    },
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Where jobs come from and events go to.
#[derive(Debug, Clone, Args)]
pub struct WorkerOptions {
    /// The worker's name.
    #[arg(long, env = "WORKER_NAME", default_value = "worker")]
    pub name: String,
    /// Polls at once.
    #[arg(long, env = "WORKER_CONCURRENCY", default_value_t = 64)]
    pub concurrency: usize,
    /// The queue of jobs.
    #[arg(long, env = "WORK_QUEUE")]
    pub work_queue: String,
    /// The queue of completions.
    #[arg(long, env = "COMPLETED_QUEUE")]
    pub completed_queue: String,
    /// The topic of the events.
    #[arg(long, env = "EVENT_TOPIC")]
    pub topic: Topic,
    /// The SQS endpoint; AWS's own unless set.
    #[arg(long, env = "POLLING_SQS_ENDPOINT")]
    pub sqs_endpoint: Option<String>,
    /// Kafka's brokers, host:port.
    #[arg(long, env = "POLLING_KAFKA_BROKERS")]
    pub kafka_brokers: String,
}

/// Runs a worker with `poller` until SIGTERM or Ctrl-C.
///
/// # Errors
///
/// If a queue is missing, or a setting is wrong.
pub async fn run(options: WorkerOptions, poller: impl Poller) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new("info"))?;
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let mut config = sqs::client_config(&sqs::load_config().await);
    if let Some(endpoint) = &options.sqs_endpoint {
        config = config.endpoint_url(endpoint);
    }
    let client = sqs::Client::from_conf(config.build());
    let worker = Worker::builder()
        .config(WorkerConfig {
            name: options.name,
            concurrency: options.concurrency,
            ..WorkerConfig::default()
        })
        .work(queue(&client, &options.work_queue).await?)
        .completed(queue(&client, &options.completed_queue).await?)
        .bus(Arc::new(KafkaBus::builder(&options.kafka_brokers).build()?))
        .topic(options.topic)
        .poller(poller)
        .build()?;
    worker.check().await?;
    let mut terminated = signal(SignalKind::terminate())?;
    let report = worker
        .run(async move {
            tokio::select! {
                biased;
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        })
        .await;
    tracing::info!(?report, "stopped");
    Ok(())
}

async fn queue(client: &sqs::Client, name: &str) -> anyhow::Result<SharedQueue> {
    let queue = SqsQueue::connect(client, name).await;
    Ok(Arc::new(queue.with_context(|| format!("queue {name}"))?))
}
