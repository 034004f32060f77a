//! A collector in memory, and jobs that tell spans as the SDK does.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    time::Duration,
};

use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    trace::{SpanData, SpanExporter},
};
use polling_model::{
    Generator, JobId, Nonce, Token, TraceContext, TraceRatio,
    trace::{Ending, TARGET, names},
};
use polling_ops::traces::{FILTER, TraceCounts, TraceLayer, Traces, TracesConfig};
use polling_transport::TokioClock;
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};
use tracing::{Span, field::Empty, subscriber::DefaultGuard};
use tracing_subscriber::{Layer as _, filter::EnvFilter, layer::SubscriberExt as _};

pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

/// What a collector does.
pub(crate) const TAKES: u8 = 0;
pub(crate) const REFUSES: u8 = 1;
pub(crate) const HANGS: u8 = 2;

#[derive(Debug, Clone, Default)]
pub(crate) struct Collector {
    spans: Arc<Mutex<Vec<SpanData>>>,
    pub(crate) does: Arc<AtomicU8>,
}

impl Collector {
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        self.spans.lock().unwrap().clone()
    }

    /// The names of all spans, in the order in which they ended.
    pub(crate) fn names(&self) -> Vec<String> {
        let spans = self.spans();
        spans.iter().map(|span| span.name.to_string()).collect()
    }

    pub(crate) fn named(&self, name: &str) -> SpanData {
        let mut named = self.spans();
        named.retain(|span| span.name == name);
        assert_eq!(named.len(), 1, "{name}");
        named.remove(0)
    }
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        match self.does.load(Relaxed) {
            TAKES => self.spans.lock().unwrap().extend(batch),
            REFUSES => return Err(OTelSdkError::InternalFailure("unavailable".to_owned())),
            _ => std::future::pending().await,
        }
        Ok(())
    }
}

/// A process that records spans and exports what it keeps.
pub(crate) struct Process {
    pub(crate) collector: Collector,
    pub(crate) counts: Box<dyn Fn() -> TraceCounts>,
    stop: oneshot::Sender<()>,
    exporting: JoinHandle<()>,
    _subscriber: DefaultGuard,
}

impl Process {
    pub(crate) fn start(config: TracesConfig) -> Self {
        let collector = Collector::default();
        let (layer, traces) = Traces::over(collector.clone(), config);
        Self::of(collector, layer, traces)
    }

    fn of(collector: Collector, layer: TraceLayer, traces: Traces<Collector>) -> Self {
        let filter = EnvFilter::new(FILTER);
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
        let counts = Box::new(traces.counts());
        let (stop, stopped) = oneshot::channel();
        let exporting = tokio::spawn(traces.run(async move {
            let _ = stopped.await;
        }));
        Self {
            collector,
            counts,
            stop,
            exporting,
            _subscriber: tracing::subscriber::set_default(subscriber),
        }
    }

    /// Stops it, and returns what the collector has then.
    pub(crate) async fn stop(self) -> Collector {
        self.stop.send(()).unwrap();
        self.exporting.await.unwrap();
        self.collector
    }

    /// Long enough for what ended to be exported.
    pub(crate) async fn pass(&self) {
        sleep(Duration::from_secs(2)).await;
    }
}

pub(crate) fn config(ratio: f64) -> TracesConfig {
    let clock = Arc::new(TokioClock::starting_at(NOW_MS));
    TracesConfig::new("test-worker")
        .ratio(TraceRatio::new(ratio).unwrap())
        .slow(Duration::from_secs(60))
        .sources(clock, Generator::from_seed(1))
}

pub(crate) fn trace(generation: u64) -> TraceContext {
    let id: JobId = "posts:42".parse().unwrap();
    let token = Token {
        incarnation: Nonce(0xa1),
        generation,
        nonce: Nonce(0xb2),
    };
    TraceContext::of(&id, &token)
}

/// A delivery of a job, as the worker tells it.
pub(crate) fn job(generation: u64) -> Span {
    tracing::info_span!(
        target: TARGET,
        names::JOB,
        job_id = "posts:42",
        generation,
        trace_id = %trace(generation).trace_id(),
        sampled = Empty,
        outcome = Empty,
        error = Empty,
        latency_ms = Empty,
    )
}

/// The same, from its beginning to its end.
pub(crate) fn delivery(generation: u64, ending: Ending, latency_ms: i64) {
    let job = job(generation);
    job.in_scope(|| drop(tracing::debug_span!(target: TARGET, names::POLL)));
    job.record("outcome", ending.as_str());
    job.record("latency_ms", latency_ms);
}
