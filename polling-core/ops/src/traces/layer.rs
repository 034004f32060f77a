//! From the spans of `tracing` to those of OpenTelemetry.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SpanEvents;
use polling_model::trace::{SpanId, TARGET, names};
use tracing::{
    Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

use super::{
    config::TracesConfig,
    export::Waiting,
    fields::{Gather, Told},
    open::{Open, time_of},
    recording::Recording,
    sampler::Sampler,
};

/// Records the spans of jobs. Made by [`Traces`](super::Traces), which exports what it keeps.
///
/// It sees what its filter lets through: `.with_filter(EnvFilter::new(FILTER))`, or a choice of your own.
#[derive(Debug, Clone)]
pub struct TraceLayer {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) config: TracesConfig,
    sampler: Sampler,
    scope: InstrumentationScope,
    open: Arc<AtomicUsize>,
    pub(super) unrecorded: AtomicU64,
    pub(super) waiting: Waiting,
}

impl Shared {
    pub(super) fn new(config: TracesConfig) -> Self {
        Self {
            waiting: Waiting::new(config.max_waiting),
            config,
            sampler: Sampler::default(),
            scope: InstrumentationScope::builder("polling")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
            open: Arc::default(),
            unrecorded: AtomicU64::new(0),
        }
    }

    fn span_id(&self) -> SpanId {
        loop {
            // Zero once in 2⁶⁴.
            if let Some(id) = SpanId::new(self.config.generator.next_u64().to_be_bytes()) {
                return id;
            }
        }
    }

    fn gather(
        &self,
        ours: bool,
        visit: impl FnOnce(&mut Gather<'_>),
    ) -> (Told, Vec<KeyValue>, u32) {
        let (mut told, mut attributes, mut dropped) = (Told::default(), Vec::new(), 0);
        visit(&mut Gather {
            ours,
            config: &self.config,
            told: &mut told,
            message: None,
            attributes: &mut attributes,
            dropped: &mut dropped,
        });
        (told, attributes, dropped)
    }

    /// A span within a job that is recorded.
    fn child(&self, parent: &Recording, attributes: &Attributes<'_>) -> Recording {
        let ours = is_ours(attributes.metadata());
        let (told, attributes, dropped) = self.gather(ours, |gather| attributes.record(gather));
        let open = Arc::clone(&parent.open);
        Recording {
            begin: told.start_ms.map_or_else(|| open.now(), time_of),
            open,
            ours,
            span_id: self.span_id(),
            parent: Some(parent.span_id),
            told,
            attributes,
            dropped,
            events: SpanEvents::default(),
            root: None,
        }
    }

    /// A span that names its trace: what is within it is told together. `None` if it does not, or need not be recorded.
    fn root(&self, attributes: &Attributes<'_>) -> Option<Recording> {
        let metadata = attributes.metadata();
        if !is_ours(metadata) {
            return None;
        }
        let (told, attributes, dropped) = self.gather(true, |gather| attributes.record(gather));
        let trace_id = told.trace_id?;
        // What is told afterwards says at once how it ended: then most are not worth a record.
        let keeps = || {
            self.sampler
                .keeps(&self.config, trace_id, told.sampled, told.outcome)
        };
        let decided = told.end_ms.map(|_| keeps());
        if decided == Some(false) {
            return None;
        }
        let now_ms = self.config.clock.now_ms();
        let Some(open) = Open::begin(trace_id, now_ms, &self.open, self.config.max_open) else {
            self.unrecorded.fetch_add(1, Relaxed);
            return None;
        };
        let is_cycle = metadata.name() == names::CYCLE;
        Some(Recording {
            begin: told.start_ms.map_or_else(|| open.now(), time_of),
            open,
            ours: true,
            span_id: if is_cycle {
                trace_id.root()
            } else {
                self.span_id()
            },
            parent: (!is_cycle).then(|| trace_id.root()),
            told,
            attributes,
            dropped,
            events: SpanEvents::default(),
            root: Some(decided),
        })
    }

    fn close(&self, mut recording: Recording, metadata: &'static Metadata<'static>) {
        let Some(decided) = recording.root.take() else {
            let open = Arc::clone(&recording.open);
            let span = recording.into_span(metadata, &self.scope);
            open.add(span, self.config.max_spans, self.config.max_age);
            return;
        };
        let (open, told) = (Arc::clone(&recording.open), &recording.told);
        let (mut spans, dropped) = open.take();
        let keeps = decided.unwrap_or_else(|| {
            self.sampler
                .keeps(&self.config, open.trace_id, told.sampled, told.outcome)
        });
        if !keeps {
            return;
        }
        if dropped > 0 {
            let dropped = i64::try_from(dropped).unwrap_or(i64::MAX);
            let told = KeyValue::new("polling.dropped_spans", dropped);
            recording.attributes.push(told);
        }
        spans.push(recording.into_span(metadata, &self.scope));
        self.waiting.push(spans);
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target() == TARGET
}

impl TraceLayer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let within = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            let parent = extensions.get::<Recording>()?;
            Some(self.shared.child(parent, attributes))
        });
        if let Some(recording) = within.or_else(|| self.shared.root(attributes)) {
            span.extensions_mut().insert(recording);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        if let Some(recording) = span.extensions_mut().get_mut::<Recording>() {
            recording.record(&self.shared.config, values);
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else {
            return;
        };
        if let Some(recording) = span.extensions_mut().get_mut::<Recording>() {
            recording.add_event(&self.shared.config, event);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let recording = span.extensions_mut().remove::<Recording>();
        if let Some(recording) = recording {
            self.shared.close(recording, span.metadata());
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("config", &self.config)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}
