//! The trace of a cycle: what messages carry of it, and what is told when it has ended.
//!
//! Only then is it known whether anybody wants to see it. So the spans of the scheduler are told at
//! the end with their true times, by whichever scheduler settles: none is kept meanwhile.

use polling_model::{
    JobId, Token, TraceContext,
    trace::{Ending as End, TARGET, TraceId, names},
};
use tracing::Level;

use super::{Cycle, settle::Ending};
use crate::store::{JobState, Verdict};

impl Cycle {
    /// What the message of a dispatch carries.
    pub(super) fn carried(&self, id: &JobId, token: &Token) -> Option<TraceContext> {
        let marked = self.traces?;
        let trace = TraceContext::of(id, token);
        Some(trace.with_sampled(marked.keeps(trace.trace_id())))
    }

    /// Tells the trace of a dispatch whose end was accepted. `state` is the record as it was
    /// before.
    pub(super) fn tell_accepted(&self, ending: &Ending, state: &JobState) {
        if !tracing::span_enabled!(target: TARGET, Level::DEBUG) {
            return;
        }
        let (due_ms, settled_ms) = (state.due_ms, self.clock.now_ms());
        let completion = ending.completion.as_ref();
        let end = completion.map_or(End::DeadLetter, |completion| End::of(&completion.outcome));
        let finished_ms = completion.map_or(settled_ms, |completion| completion.finished_ms);
        let cycle = tracing::debug_span!(
            target: TARGET,
            parent: None,
            names::CYCLE,
            job_id = %ending.id,
            job_type = %state.job_type,
            generation = ending.token.generation,
            trace_id = %trace_id(ending),
            sampled = sampled(ending),
            outcome = end.as_str(),
            latency_ms = finished_ms - due_ms,
            error = error(ending),
            start_ms = due_ms,
            end_ms = settled_ms,
        );
        if let Some(sent_ms) = completion.and_then(|completion| completion.sent_ms) {
            drop(tracing::debug_span!(
                target: TARGET, parent: &cycle, names::DRAIN, start_ms = due_ms, end_ms = sent_ms,
            ));
        }
        drop(tracing::debug_span!(
            target: TARGET,
            parent: &cycle,
            names::SETTLE,
            verdict = Verdict::Accepted.as_str(),
            start_ms = ending.received_ms,
            end_ms = settled_ms,
        ));
    }

    /// Tells that the end of a dispatch came once more, or too late, or while the job was edited.
    pub(super) fn tell_refused(&self, ending: &Ending, verdict: Verdict) {
        if !tracing::span_enabled!(target: TARGET, Level::DEBUG) {
            return;
        }
        drop(tracing::debug_span!(
            target: TARGET,
            parent: None,
            names::SETTLE,
            job_id = %ending.id,
            generation = ending.token.generation,
            trace_id = %trace_id(ending),
            sampled = sampled(ending),
            error = error(ending),
            verdict = verdict.as_str(),
            start_ms = ending.received_ms,
            end_ms = self.clock.now_ms(),
        ));
    }
}

fn trace_id(ending: &Ending) -> TraceId {
    TraceContext::of(&ending.id, &ending.token).trace_id()
}

/// As its message said, if it did.
fn sampled(ending: &Ending) -> Option<bool> {
    ending.trace.map(|trace| trace.is_sampled())
}

fn error(ending: &Ending) -> Option<&'static str> {
    let completion = ending.completion.as_ref()?;
    let failure = completion.outcome.failure()?;
    Some(failure.class.as_str())
}
