//! A worker for the fake channel: jobs from SQS, events to Kafka.
//!
//! `dev/demo` starts two of these, with queues, a topic and a channel to go with them. What is the
//! channel author's own is in `poller.rs` and `api.rs`; here it is put together.

mod api;
mod metrics;
mod misbehave;
mod poller;
mod settings;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use polling_core::{
    SharedObserver, Topic, Worker, WorkerConfig,
    transport::{
        Metered, SharedQueue,
        kafka::KafkaBus,
        sqs::{self, SqsQueue},
    },
};

use crate::{
    api::Api,
    misbehave::{Misbehaving, Misbehavior},
    poller::Posts,
};

/// Polls posts from the fake channel.
#[derive(Debug, Parser)]
struct Options {
    /// The worker's name, which the channel sees.
    #[arg(long, env = "WORKER_NAME", default_value = "worker")]
    name: String,
    /// The channel's address, such as http://127.0.0.1:4040.
    #[arg(long, env = "CHANNEL_URL")]
    channel_url: String,
    /// The queue of jobs.
    #[arg(long, env = "WORK_QUEUE")]
    work_queue: String,
    /// The queue of completions.
    #[arg(long, env = "COMPLETED_QUEUE")]
    completed_queue: String,
    /// The topic of the events.
    #[arg(long, env = "EVENT_TOPIC")]
    topic: Topic,
    /// The SQS endpoint; AWS's own unless set.
    #[arg(long, env = "POLLING_SQS_ENDPOINT")]
    sqs_endpoint: Option<String>,
    /// Kafka's brokers, host:port.
    #[arg(long, env = "POLLING_KAFKA_BROKERS")]
    kafka_brokers: String,
    /// A setting of librdkafka, such as linger.ms=50. Repeat it for more.
    #[arg(long = "kafka", value_name = "NAME=VALUE")]
    kafka: Vec<String>,
    /// Polls at once.
    #[arg(long, default_value_t = 128)]
    concurrency: usize,
    /// Seconds that polls under way may take after SIGTERM, before their messages are given back.
    #[arg(long, default_value_t = 10)]
    shutdown_grace_s: u64,
    #[command(flatten)]
    settings: settings::Source,
    #[command(flatten)]
    metrics: metrics::Telling,
    #[command(flatten)]
    misbehavior: Misbehavior,
}

/// Bounds that fit slots of one second.
fn config(options: &Options) -> WorkerConfig {
    WorkerConfig {
        name: options.name.clone(),
        concurrency: options.concurrency,
        poll_timeout: Duration::from_secs(5),
        publish_timeout: Duration::from_secs(30),
        complete_timeout: Duration::from_secs(5),
        max_lifetime: Duration::from_secs(60),
        receive_wait: Duration::from_secs(2),
        shutdown_grace: Duration::from_secs(options.shutdown_grace_s),
        ..WorkerConfig::default()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::builder()
                .with_default_directive(tracing::Level::INFO.into())
                .from_env_lossy(),
        )
        .init();
    let options = Options::parse();
    let client = sqs_client(options.sqs_endpoint.as_deref()).await;
    let api = Api::new(&options.channel_url, &options.name)?;
    let metrics = metrics::Told::start(&options.metrics).await?;
    let observer = metrics.observer();
    let worker = Worker::builder()
        .config(config(&options))
        .work(queue(&client, &options.work_queue, &observer).await?)
        .completed(queue(&client, &options.completed_queue, &observer).await?)
        .bus(Arc::new(Metered::new(
            Arc::new(bus(&options)?),
            "kafka",
            Arc::clone(&observer),
        )))
        .observer(observer)
        .topic(options.topic.clone())
        .poller(Misbehaving::new(
            Posts::new(api, options.topic.clone()),
            options.topic,
            options.misbehavior,
        ))
        .build()?;
    settings::follow(&options.settings, &worker, metrics.metrics())?;
    tracing::info!(identity = worker.identity(), "polling");
    let report = worker.run(terminated()).await;
    metrics.end().await;
    tracing::info!(?report, "stopped");
    Ok(())
}

async fn sqs_client(endpoint: Option<&str>) -> sqs::Client {
    let mut config = sqs::client_config(&sqs::load_config().await);
    if let Some(endpoint) = endpoint {
        config = config.endpoint_url(endpoint);
    }
    sqs::Client::from_conf(config.build())
}

fn bus(options: &Options) -> anyhow::Result<KafkaBus> {
    let mut builder = KafkaBus::builder(&options.kafka_brokers);
    for setting in &options.kafka {
        let (name, value) = setting
            .split_once('=')
            .with_context(|| format!("--kafka {setting}: write NAME=VALUE"))?;
        builder = builder.set(name, value);
    }
    Ok(builder.build()?)
}

async fn queue(
    client: &sqs::Client,
    name: &str,
    observer: &SharedObserver,
) -> anyhow::Result<SharedQueue> {
    let queue = SqsQueue::connect_observed(client, name, Arc::clone(observer)).await;
    let queue = Arc::new(queue.with_context(|| format!("queue {name}"))?);
    Ok(Arc::new(Metered::new(queue, name, Arc::clone(observer))))
}

async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    tokio::select! {
        biased;
        _ = term.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
