//! The spans of one delivery of a job, by the names of [`trace`](crate::model::trace).
//!
//! They cost nothing that counts where nobody listens: what they say is computed only for one who
//! does.

use tracing::{Span, field::Empty};

use crate::{
    Completion, Job,
    model::{
        Job as Dispatch, TraceContext,
        trace::{Ending, TARGET, names},
    },
    transport::Message,
};

/// What a message brought of its trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Carried {
    pub(crate) trace: TraceContext,
    pub(crate) sent_ms: i64,
}

impl Carried {
    /// `None` if the message brought none, or not that of its token: then another tool wrote it.
    pub(crate) fn of(message: &Message, dispatch: &Dispatch) -> Option<Self> {
        let brought = message.trace?;
        let trace = TraceContext::of(&dispatch.id, &dispatch.token);
        (brought.trace_id() == trace.trace_id()).then(|| Self {
            trace: trace.with_sampled(brought.is_sampled()),
            sent_ms: message.sent_ms,
        })
    }
}

/// One delivery, from now on; and before it how long the message waited for it.
pub(crate) fn job(job: &Job, message: &Message, now_ms: i64) -> Span {
    let trace_id = || {
        let trace = job.trace();
        let trace = trace.unwrap_or_else(|| TraceContext::of(&job.id, &job.token));
        trace.trace_id()
    };
    let span = tracing::info_span!(
        target: TARGET,
        names::JOB,
        job_id = %job.id,
        job_type = %job.job_type,
        generation = job.token.generation,
        trace_id = %trace_id(),
        receives = message.receive_count,
        sampled = job.trace().map(|trace| trace.is_sampled()),
        outcome = Empty,
        error = Empty,
        latency_ms = Empty,
    );
    drop(tracing::debug_span!(
        target: TARGET,
        parent: &span,
        names::WAIT,
        start_ms = message.sent_ms,
        end_ms = now_ms,
    ));
    span
}

/// Notes in the delivery's span, which is the current one, how it ended.
pub(crate) fn completed(job: &Job, completion: &Completion) {
    let span = Span::current();
    span.record("outcome", Ending::of(&completion.outcome).as_str());
    span.record("latency_ms", completion.finished_ms - job.due_ms);
    if let Some(failure) = completion.outcome.failure() {
        span.record("error", failure.class.as_str());
    }
}

/// The same of what is not completed.
pub(crate) fn bug(kind: &'static str) {
    let span = Span::current();
    span.record("outcome", Ending::Bug.as_str());
    span.record("error", kind);
}

/// The call of the poller.
pub(crate) fn poll() -> Span {
    tracing::debug_span!(target: TARGET, names::POLL, error = Empty, events = Empty)
}

/// Publishing what it found.
pub(crate) fn publish(events: usize) -> Span {
    tracing::debug_span!(target: TARGET, names::PUBLISH, events)
}

/// Storing the completion.
pub(crate) fn complete() -> Span {
    tracing::debug_span!(target: TARGET, names::COMPLETE)
}

/// Deleting the message.
pub(crate) fn ack() -> Span {
    tracing::debug_span!(target: TARGET, names::ACK)
}
