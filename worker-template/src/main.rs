//! A worker for one channel. `poll.rs` is the file to edit.

mod health;
mod logs;
mod metrics;
mod options;
mod poll;
mod ports;
#[cfg(feature = "settings")]
mod settings;
mod stand_in;
#[cfg(test)]
mod tests;

use std::{future::pending, sync::Arc, time::Duration};

use clap::Parser;
use polling_core::{
    SystemClock, Worker, WorkerConfig,
    http::{HttpClient, HttpConfig, dialect::Dialect},
};
use tokio::{pin, select, signal, time::sleep};

use crate::{health::Probes, metrics::Metrics, options::Options, poll::Items, ports::Ports};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let logs = logs::start(&options)?;
    let metrics = Metrics::new();
    let routes = metrics::router(metrics.clone());
    let probes = Probes::serve(options.health_listen, routes).await?;
    let stop = shutdown(options.for_s)?;
    pin!(stop);

    let worker = select! {
        biased;
        () = &mut stop => return Ok(()),
        worker = ready_worker(&options, &probes, &metrics) => worker?,
    };
    let stopping = async {
        stop.await;
        probes.health.stop_serving();
    };
    worker.run(stopping).await;
    logs.end().await;
    Ok(())
}

/// The worker that the options describe, once its queues and its bus answer.
async fn ready_worker(
    options: &Options,
    probes: &Probes,
    metrics: &Metrics,
) -> anyhow::Result<Worker> {
    let observer = metrics.observer();
    let ports = Ports::open(options, probes, &observer).await?;
    let worker = Worker::builder()
        .config(WorkerConfig {
            name: options.name.clone(),
            concurrency: options.concurrency,
            replicas: options.replicas,
            poll_timeout: Duration::from_secs(options.poll_timeout_s),
            ..WorkerConfig::default()
        })
        .work(ports.work)
        .completed(ports.completed)
        .bus(ports.bus)
        .observer(observer)
        .topic(options.topic.clone())
        .poller(poller(options).await?)
        .build()?;
    #[cfg(feature = "settings")]
    settings::follow(&options.settings, &worker, probes, metrics)?;
    probes.await_ready(&worker).await;
    Ok(worker)
}

async fn poller(options: &Options) -> anyhow::Result<Items> {
    let mut config = HttpConfig {
        private_hosts: options.private_hosts.clone(),
        ..HttpConfig::new(&options.user_agent)
    };
    let url = match &options.channel_url {
        Some(url) => url.clone(),
        None => {
            config.private_hosts.push("127.0.0.1".to_owned());
            stand_in::channel::serve().await?
        }
    };
    // How the channel tells its rate limits: see polling_core::http::dialect.
    let http = HttpClient::new(config, Dialect::common(), Arc::new(SystemClock))?;
    Ok(Items::new(http, &url, options.topic.clone()))
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
        select! {
            biased;
            _ = terminated.recv() => {}
            _ = signal::ctrl_c() => {}
            () = time_over => {}
        }
    })
}
