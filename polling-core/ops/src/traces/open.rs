//! One job under way: its spans until it has ended.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use opentelemetry::trace::{SpanContext, SpanKind, TraceFlags, TraceState};
use opentelemetry_sdk::trace::SpanData;
use polling_model::trace::{SpanId, TraceId, names};
use tokio::time::Instant;

/// The spans of one local root and what is below it.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) trace_id: TraceId,
    began_ms: i64,
    began: Instant,
    ended: Mutex<Ended>,
    /// Such roots, this one included.
    places: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Ended {
    spans: Vec<SpanData>,
    dropped: usize,
}

impl Open {
    /// `None` if as many as may be are under way.
    pub(super) fn begin(
        trace_id: TraceId,
        now_ms: i64,
        places: &Arc<AtomicUsize>,
        most: usize,
    ) -> Option<Arc<Self>> {
        let open = Arc::new(Self {
            trace_id,
            began_ms: now_ms,
            began: Instant::now(),
            ended: Mutex::default(),
            places: Arc::clone(places),
        });
        (places.fetch_add(1, Relaxed) < most).then_some(open)
    }

    /// Microseconds count, which the clock does not tell: so the beginning is its, and the rest is measured.
    pub(super) fn now(&self) -> SystemTime {
        time_of(self.began_ms) + self.began.elapsed()
    }

    /// Keeps a span that has ended, unless there are too many, or the whole is too old.
    pub(super) fn add(&self, span: SpanData, most: usize, max_age: Duration) {
        // Nothing panics while it is held.
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if self.began.elapsed() > max_age {
            ended.dropped += ended.spans.len();
            ended.spans = Vec::new();
        }
        if ended.spans.len() < most {
            ended.spans.push(span);
        } else {
            ended.dropped += 1;
        }
    }

    /// What was kept, and how many were not.
    pub(super) fn take(&self) -> (Vec<SpanData>, usize) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut ended.spans), ended.dropped)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.places.fetch_sub(1, Relaxed);
    }
}

/// UTC milliseconds as OpenTelemetry has them; nothing is before 1970.
pub(super) fn time_of(at_ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(at_ms).unwrap_or(0))
}

pub(super) fn context_of(trace_id: TraceId, span_id: SpanId) -> SpanContext {
    let trace_id = opentelemetry::TraceId::from_bytes(trace_id.to_bytes());
    let span_id = opentelemetry::SpanId::from_bytes(span_id.to_bytes());
    // Whoever sees it exported knows that it was kept.
    SpanContext::new(
        trace_id,
        span_id,
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    )
}

/// By what the span does with a queue or a bus.
pub(super) fn kind_of(name: &str) -> SpanKind {
    match name {
        names::DRAIN | names::PUBLISH | names::COMPLETE => SpanKind::Producer,
        names::JOB => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}
