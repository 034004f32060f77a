//! A worker for one channel. `poll.rs` is the file to edit.

mod poll;
mod ports;
#[cfg(not(all(feature = "sqs", feature = "kafka")))]
mod stand_in;

use std::{future::pending, time::Duration};

use clap::Parser;
use polling_core::{Topic, Worker, WorkerConfig};
use tokio::{signal, time::sleep};
use tracing_subscriber::EnvFilter;

use crate::{poll::Channel, ports::Ports};

/// Polls a channel.
#[derive(Debug, Parser)]
struct Options {
    /// The first part of the worker's identity.
    #[arg(long, env = "WORKER_NAME", default_value = "worker")]
    name: String,
    /// Polls at once.
    #[arg(long, env = "WORKER_CONCURRENCY", default_value_t = 64)]
    concurrency: usize,
    /// Deadline of one poll, in seconds.
    #[arg(long, env = "POLL_TIMEOUT_S", default_value_t = 30)]
    poll_timeout_s: u64,
    /// The queue of jobs.
    #[arg(long, env = "WORK_QUEUE", default_value = "polling-demo-items")]
    work_queue: String,
    /// The queue of completions.
    #[arg(
        long,
        env = "COMPLETED_QUEUE",
        default_value = "polling-demo-completed"
    )]
    completed_queue: String,
    /// The topic of events.
    #[arg(long, env = "EVENT_TOPIC", default_value = "items")]
    topic: Topic,
    /// The SQS endpoint; that of AWS unless set.
    #[cfg(feature = "sqs")]
    #[arg(long, env = "POLLING_SQS_ENDPOINT")]
    sqs_endpoint: Option<String>,
    /// Kafka's brokers, `host:port,host:port`.
    #[cfg(feature = "kafka")]
    #[arg(long, env = "POLLING_KAFKA_BROKERS")]
    kafka_brokers: String,
    /// Ends by itself after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    for_s: Option<u64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new("info"))?;
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let options = Options::parse();
    let ports = Ports::open(&options).await?;
    let worker = Worker::builder()
        .config(WorkerConfig {
            name: options.name,
            concurrency: options.concurrency,
            poll_timeout: Duration::from_secs(options.poll_timeout_s),
            ..WorkerConfig::default()
        })
        .work(ports.work)
        .completed(ports.completed)
        .bus(ports.bus)
        .topic(options.topic.clone())
        .poller(Channel::new(options.topic))
        .build()?;
    worker.check().await?;
    worker.run(shutdown(options.for_s)?).await;
    Ok(())
}

/// Resolves at SIGTERM, at Ctrl-C, or once the time is over.
fn shutdown(for_s: Option<u64>) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminated = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    Ok(async move {
        let time_over = async {
            match for_s {
                Some(seconds) => sleep(Duration::from_secs(seconds)).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = terminated.recv() => {}
            _ = signal::ctrl_c() => {}
            () = time_over => {}
        }
    })
}
