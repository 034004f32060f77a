//! The traces of job cycles, to OpenTelemetry.
//!
//! ```no_run
//! use polling_ops::traces::{FILTER, Traces, TracesConfig};
//! use tracing_subscriber::{EnvFilter, prelude::*};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = TracesConfig::new("mastodon-worker");
//! let (layer, traces) = Traces::otlp("http://collector.internal:4317", config)?;
//! let layer = layer.with_filter(EnvFilter::new(FILTER));
//! tracing_subscriber::registry().with(layer).init();
//! tokio::spawn(traces.run(async { /* until the program stops */ }));
//! # Ok(())
//! # }
//! ```
//!
//! Scheduler and worker tell their spans by `tracing` (see [`polling_model::trace`]); spans of your own that begin
//! within a poll become parts of it. The layer keeps what belongs to one job until that has ended, and only then decides
//! by how it ended whether the whole is exported: some are always chosen, by a ratio, and what failed or was slow is kept
//! whatever the ratio. All bounds are in [`TracesConfig`]; what is beyond them is dropped and counted, and the program
//! goes on.

mod config;
mod export;
mod fields;
mod layer;
mod open;
mod recording;
mod sampler;

use std::{
    fmt,
    future::Future,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::trace::SpanExporter;
use polling_model::chain;

pub use self::{
    config::TracesConfig,
    export::{CALL_DEADLINE, LAST_SPANS},
    layer::TraceLayer,
};
use self::{export::Sender, layer::Shared};

/// A filter for a [`TraceLayer`]: the spans of jobs, and what else is told at `info`.
pub const FILTER: &str = "info,polling::trace=debug";

/// Exports what a [`TraceLayer`] keeps.
pub struct Traces<E> {
    shared: Arc<Shared>,
    exporter: E,
}

/// What became of spans so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TraceCounts {
    /// Spans that the collector took.
    pub exported: u64,
    /// Spans that it did not take, or that waited behind too many others.
    pub dropped: u64,
    /// Jobs whose spans were not recorded, since too many were under way.
    pub unrecorded: u64,
}

/// Why nothing can be exported.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be exported to {endpoint}: {reason}")]
pub struct EndpointError {
    /// As it was given.
    pub endpoint: String,
    /// What is wrong with it.
    pub reason: String,
}

impl EndpointError {
    fn new(endpoint: &str, reason: String) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            reason,
        }
    }
}

/// Whether this looks like the address of a collector; nobody is asked.
///
/// # Errors
///
/// [`EndpointError`] unless it is one of HTTP.
pub fn check_endpoint(endpoint: &str) -> Result<(), EndpointError> {
    let schemes = ["http://", "https://"];
    if schemes.iter().any(|scheme| endpoint.starts_with(scheme)) {
        return Ok(());
    }
    let reason = "it begins with neither http:// nor https://".to_owned();
    Err(EndpointError::new(endpoint, reason))
}

impl Traces<opentelemetry_otlp::SpanExporter> {
    /// To a collector that speaks OTLP over gRPC, such as `http://collector.internal:4317`. Nothing is connected yet.
    /// Call it within a Tokio runtime. What `OTEL_EXPORTER_OTLP_HEADERS` says is sent with each call.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] when the address is none.
    pub fn otlp(endpoint: &str, config: TracesConfig) -> Result<(TraceLayer, Self), EndpointError> {
        check_endpoint(endpoint)?;
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(CALL_DEADLINE)
            .build()
            .map_err(|error| EndpointError::new(endpoint, chain(&error)))?;
        Ok(Self::over(exporter, config))
    }
}

impl<E: SpanExporter> Traces<E> {
    /// To any exporter of OpenTelemetry's.
    pub fn over(mut exporter: E, config: TracesConfig) -> (TraceLayer, Self) {
        exporter.set_resource(&config.resource());
        let shared = Arc::new(Shared::new(config));
        let layer = TraceLayer::new(Arc::clone(&shared));
        (layer, Self { shared, exporter })
    }

    /// What became of spans, to be asked while it runs.
    pub fn counts(&self) -> impl Fn() -> TraceCounts + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || TraceCounts {
            exported: shared.waiting.exported.load(Relaxed),
            dropped: shared.waiting.dropped.load(Relaxed),
            unrecorded: shared.unrecorded.load(Relaxed),
        }
    }

    /// Exports until `shutdown` resolves, then what is left, for [`LAST_SPANS`] at most after the call under way.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let sender = Sender::new(&self.shared, &self.exporter);
        sender.run(shutdown).await;
        // Dropped here, where a runtime is: its connection needs one.
        let _ = self.exporter.shutdown_with_timeout(CALL_DEADLINE);
    }
}

impl<E> fmt::Debug for Traces<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces")
            .field("config", &self.shared.config)
            .finish_non_exhaustive()
    }
}
