//! What the worker counts, for Prometheus and Graphite.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::Router;
use clap::Args;
use polling_core::{SharedObserver, SystemClock};
use polling_ops::{
    graphite::{Graphite, GraphiteConfig},
    metrics::Metrics,
    prometheus,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// Where metrics are told.
#[derive(Debug, Clone, Args)]
pub(crate) struct Telling {
    /// Where to answer Prometheus, at /metrics.
    #[arg(long)]
    metrics_listen: Option<SocketAddr>,
    /// Where Graphite takes lines, host:port.
    #[arg(long)]
    graphite: Option<String>,
    /// Before each name in Graphite.
    #[arg(long, default_value = "polling.worker")]
    graphite_prefix: String,
    /// Seconds between two pushes to Graphite.
    #[arg(long, default_value_t = 10)]
    graphite_every_s: u64,
}

/// Metrics, told until the end.
pub(crate) struct Told {
    metrics: Metrics,
    /// What ends the pushing, and the pushing.
    pushing: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Told {
    /// Answers and pushes from here on, for as long as the process lives.
    pub(crate) async fn start(telling: &Telling) -> anyhow::Result<Self> {
        let metrics = Metrics::new();
        if let Some(address) = telling.metrics_listen {
            let listener = TcpListener::bind(address).await;
            let listener = listener.with_context(|| format!("cannot listen at {address}"))?;
            let routes: Router = prometheus::router(metrics.clone());
            tokio::spawn(async move { axum::serve(listener, routes).await });
        }
        let pushing = (telling.graphite.as_ref())
            .map(|address| {
                let every = Duration::from_secs(telling.graphite_every_s);
                let config = GraphiteConfig::new(address, &telling.graphite_prefix).every(every);
                let graphite = Graphite::new(metrics.clone(), config, Arc::new(SystemClock))?;
                let (end, ended) = oneshot::channel();
                let until = async { drop(ended.await) };
                anyhow::Ok((end, tokio::spawn(graphite.run(until))))
            })
            .transpose()?;
        Ok(Self { metrics, pushing })
    }

    pub(crate) const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn observer(&self) -> SharedObserver {
        self.metrics.observer()
    }

    /// Once the worker has ended: Graphite is told its last counts.
    pub(crate) async fn end(self) {
        if let Some((end, pushing)) = self.pushing {
            drop(end);
            let _ = pushing.await;
        }
    }
}
