//! Metrics pushed to an OpenTelemetry collector, by OTLP over gRPC.
//!
//! ```no_run
//! use std::sync::Arc;
//! use polling_model::SystemClock;
//! use polling_ops::{metrics::Metrics, otlp::{Otlp, OtlpConfig}};
//!
//! # async fn run() -> Result<(), polling_ops::otlp::OtlpError> {
//! let metrics = Metrics::new();
//! let config = OtlpConfig::new("http://collector.internal:4317", "mastodon-posts");
//! let otlp = Otlp::new(metrics, config, Arc::new(SystemClock))?;
//! tokio::spawn(otlp.run(async { /* until the program stops */ }));
//! # Ok(())
//! # }
//! ```
//!
//! Every so often the registry is told as a whole, by the names and labels of `/metrics`: counters and histograms since the
//! program's start, which OTLP calls cumulative. So nothing has to be kept while the collector is away; what it was not told
//! then, it is told next time. `polling_otlp_failures_total` counts the calls that failed.

mod convert;

use std::{future::Future, time::Duration};

use opentelemetry_proto::tonic::{
    collector::metrics::v1::{
        ExportMetricsServiceRequest, metrics_service_client::MetricsServiceClient,
    },
    common::v1::InstrumentationScope,
    metrics::v1::{Metric, ResourceMetrics, ScopeMetrics},
    resource::v1::Resource,
};
use polling_model::{SharedClock, chain};
use prometheus_client::metrics::counter::Counter;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use self::convert::{attribute, convert, points};
use crate::metrics::{Description, Metrics};

/// Longest time to connect, or for one call.
pub const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// Longest time for the last push, once the program stops.
pub const LAST_PUSH: Duration = Duration::from_secs(3);

/// Most points of one call: collectors take 4 MiB unless told otherwise.
const MAX_POINTS: usize = 4_000;

/// Where metrics are pushed to, and as whose.
#[derive(Debug, Clone)]
#[must_use]
pub struct OtlpConfig {
    endpoint: String,
    service: String,
    instance: Option<String>,
    every: Duration,
}

/// That is no address of a collector.
#[derive(Debug, thiserror::Error)]
#[error(
    "metrics cannot be exported to {endpoint:?}: it needs http://HOST:PORT or https://HOST:PORT"
)]
pub struct OtlpError {
    /// As it was given.
    pub endpoint: String,
    /// Why not.
    #[source]
    source: Option<tonic::transport::Error>,
}

impl OtlpConfig {
    /// To a collector such as `http://collector.internal:4317`, as the program of this name; every 10 s.
    pub fn new(endpoint: impl Into<String>, service: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            service: service.into(),
            instance: None,
            every: Duration::from_secs(10),
        }
    }

    /// Which of several processes of that name, `service.instance.id`.
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// Time between two pushes, at least a millisecond.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every.max(Duration::from_millis(1));
        self
    }

    fn resource(&self) -> Resource {
        let service = attribute("service.name", &self.service);
        let instance = self.instance.as_ref();
        let instance = instance.map(|instance| attribute("service.instance.id", instance));
        Resource {
            attributes: [service].into_iter().chain(instance).collect(),
            ..Resource::default()
        }
    }
}

/// Pushes metrics until it is told to stop.
#[derive(Debug)]
pub struct Otlp {
    metrics: Metrics,
    config: OtlpConfig,
    client: MetricsServiceClient<Channel>,
    clock: SharedClock,
    started_ms: i64,
    pushes: Counter,
    failures: Counter,
    well: bool,
}

const PUSHES: (&str, &str) = ("polling_otlp_calls", "Calls that told a collector metrics");
const FAILURES: (&str, &str) = (
    "polling_otlp_failures",
    "Calls to a collector that failed: it is told all again",
);

/// The names under which [`Otlp`] counts what it does itself.
#[must_use]
pub fn described() -> Vec<Description> {
    let row = |(name, help): (&str, _)| Description {
        name: format!("{name}_total"),
        kind: "counter",
        labels: Vec::new(),
        help,
    };
    vec![row(PUSHES), row(FAILURES)]
}

impl Otlp {
    /// Nothing is connected yet. Call it within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`OtlpError`] when the address is none.
    pub fn new(
        metrics: Metrics,
        config: OtlpConfig,
        clock: SharedClock,
    ) -> Result<Self, OtlpError> {
        let client = MetricsServiceClient::new(connect(&config.endpoint)?);
        let (pushes, failures) = (Counter::default(), Counter::default());
        metrics.registry(|registry| {
            registry.register(PUSHES.0, PUSHES.1, pushes.clone());
            registry.register(FAILURES.0, FAILURES.1, failures.clone());
        });
        Ok(Self {
            metrics,
            config,
            client,
            started_ms: clock.now_ms(),
            clock,
            pushes,
            failures,
            well: true,
        })
    }

    /// Pushes until `shutdown` resolves, then once more, for [`LAST_PUSH`] at most.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        tokio::select! {
            biased;
            () = shutdown => {}
            () = self.keep_pushing() => {}
        }
        if timeout(LAST_PUSH, self.push()).await.is_err() {
            tracing::warn!("the last metrics did not reach the collector in time");
        }
    }

    async fn keep_pushing(&mut self) {
        let mut ticks = interval(self.config.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.push().await;
        }
    }

    /// Tells all, in as many calls as it takes; after one that fails the others wait for the next time.
    async fn push(&mut self) {
        let Ok(text) = self.metrics.scrape().await else {
            tracing::warn!("a metric of this program's own cannot be written");
            return;
        };
        let metrics = convert(&text, self.started_ms, self.clock.now_ms());
        for metrics in in_calls(metrics) {
            let called = timeout(CALL_DEADLINE, self.client.export(self.request(metrics))).await;
            let failure = match called {
                Ok(Ok(_)) => None,
                Ok(Err(status)) => Some(chain(&status)),
                Err(_) => Some(format!("no answer within {CALL_DEADLINE:?}")),
            };
            self.note(failure.as_deref());
            if failure.is_some() {
                return;
            }
        }
    }

    /// Logs once for each outage.
    fn note(&mut self, failure: Option<&str>) {
        match failure {
            None => {
                self.pushes.inc();
                if !self.well {
                    tracing::info!("the collector takes metrics again");
                }
            }
            Some(error) => {
                self.failures.inc();
                if self.well {
                    tracing::warn!(
                        error,
                        "metrics cannot be exported; the collector is told all of them later"
                    );
                }
            }
        }
        self.well = failure.is_none();
    }

    fn request(&self, metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
        let scope = InstrumentationScope {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        };
        ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(self.config.resource()),
                scope_metrics: vec![ScopeMetrics {
                    scope: Some(scope),
                    metrics,
                    ..ScopeMetrics::default()
                }],
                ..ResourceMetrics::default()
            }],
        }
    }
}

/// Whole metrics, about [`MAX_POINTS`] together.
fn in_calls(metrics: Vec<Metric>) -> Vec<Vec<Metric>> {
    let mut calls: Vec<Vec<Metric>> = Vec::new();
    let mut filled = MAX_POINTS;
    for metric in metrics {
        filled += points(&metric);
        if filled > MAX_POINTS {
            filled = points(&metric);
            calls.push(Vec::new());
        }
        if let Some(call) = calls.last_mut() {
            call.push(metric);
        }
    }
    calls
}

fn connect(endpoint: &str) -> Result<Channel, OtlpError> {
    let wrong = |source| OtlpError {
        endpoint: endpoint.to_owned(),
        source,
    };
    let is_tls = endpoint.starts_with("https://");
    if !is_tls && !endpoint.starts_with("http://") {
        return Err(wrong(None));
    }
    let reached = Endpoint::from_shared(endpoint.to_owned()).map_err(|error| wrong(Some(error)))?;
    let mut reached = reached.connect_timeout(CALL_DEADLINE);
    if is_tls {
        let tls = ClientTlsConfig::new().with_native_roots();
        reached = reached
            .tls_config(tls)
            .map_err(|error| wrong(Some(error)))?;
    }
    Ok(reached.connect_lazy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_whole_metrics_up_to_a_bound() {
        let text: String = (0..3)
            .map(|metric| {
                let series = (0..1_500).map(|n| format!("m{metric}{{n=\"{n}\"}} 1\n"));
                format!("# TYPE m{metric} gauge\n{}", series.collect::<String>())
            })
            .collect();
        let calls = in_calls(convert(&text, 0, 1));
        let sizes: Vec<_> = calls.iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1]);
        assert!(in_calls(Vec::new()).is_empty());
    }
}
