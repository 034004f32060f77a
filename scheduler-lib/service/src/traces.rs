//! The traces of jobs, on their way to a collector.

use polling_ops::traces::{EndpointError, FILTER, TraceLayer, Traces};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, filter::Filtered};

use crate::config::Otlp;

/// Listens to the spans of jobs.
pub type Listening = Filtered<TraceLayer, EnvFilter, Registry>;

/// A task that exports.
#[derive(Debug)]
pub struct Exporting {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

/// Starts to export, if the configuration says where to.
///
/// # Errors
///
/// That the address is none.
pub fn start(config: &Otlp) -> Result<Option<(Listening, Exporting)>, EndpointError> {
    let Some((endpoint, config)) = config.exports_traces() else {
        return Ok(None);
    };
    let (layer, traces) = Traces::otlp(endpoint, config)?;
    let stop = CancellationToken::new();
    let task = tokio::spawn(traces.run(stop.clone().cancelled_owned()));
    let listening = layer.with_filter(EnvFilter::new(FILTER));
    Ok(Some((listening, Exporting { task, stop })))
}

impl Exporting {
    /// Exports what is left, and ends within 6 s.
    pub async fn end(self) {
        self.stop.cancel();
        // A panic there is logged by its task.
        let _ = self.task.await;
    }
}
