//! Where logs and traces go.

use tracing_subscriber::EnvFilter;

#[cfg(not(feature = "traces"))]
pub(crate) use self::plain::start;
#[cfg(feature = "traces")]
pub(crate) use self::traced::start;

/// What to log: `RUST_LOG`, or else a level.
fn filter() -> anyhow::Result<EnvFilter> {
    Ok(EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new("info"))?)
}

#[cfg(not(feature = "traces"))]
mod plain {
    use crate::options::Options;

    /// Lines of text.
    pub(crate) struct Logs;

    impl Logs {
        /// There is nothing to wait for.
        pub(crate) async fn end(self) {}
    }

    pub(crate) fn start(_: &Options) -> anyhow::Result<Logs> {
        let filter = super::filter()?;
        tracing_subscriber::fmt().with_env_filter(filter).init();
        Ok(Logs)
    }
}

#[cfg(feature = "traces")]
mod traced {
    use polling_core::model::TraceRatio;
    use polling_ops::{
        logs::Json,
        traces::{FILTER, Traces, TracesConfig},
    };
    use tokio::{sync::oneshot, task::JoinHandle};
    use tracing_subscriber::{EnvFilter, fmt, prelude::*};

    use crate::options::Options;

    /// What exports traces, if anybody is told them.
    pub(crate) struct Logs(Option<(oneshot::Sender<()>, JoinHandle<()>)>);

    impl Logs {
        /// Exports what is left, and ends within 6 s.
        pub(crate) async fn end(self) {
            let Some((stop, exporting)) = self.0 else {
                return;
            };
            drop(stop);
            let _ = exporting.await;
        }
    }

    pub(crate) fn start(options: &Options) -> anyhow::Result<Logs> {
        let (layer, logs) = match &options.otlp_endpoint {
            None => (None, Logs(None)),
            Some(endpoint) => {
                let ratio = TraceRatio::new(options.trace_ratio)?;
                let config = TracesConfig::new(&options.name).ratio(ratio);
                let (layer, traces) = Traces::otlp(endpoint, config)?;
                let (stop, stopped) = oneshot::channel();
                let exporting = tokio::spawn(traces.run(async {
                    let _ = stopped.await;
                }));
                (Some(layer), Logs(Some((stop, exporting))))
            }
        };
        let layer = layer.map(|layer| layer.with_filter(EnvFilter::new(FILTER)));
        let lines = match options.log_json {
            true => fmt::layer().fmt_fields(Json).event_format(Json).boxed(),
            false => fmt::layer().boxed(),
        };
        let lines = lines.with_filter(super::filter()?);
        tracing_subscriber::registry()
            .with(layer)
            .with(lines)
            .init();
        Ok(logs)
    }
}
