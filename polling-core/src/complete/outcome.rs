//! From the result of a poll to its completion. Pure.

use crate::{
    Completion, ErrorClass, Job, PollError,
    model::{Allowance, Context, ContextError, ErrorCode, Failure, Outcome, caps},
    publish::{Published, Refused},
};

/// The code of a failure because the context is too large to be stored.
const CONTEXT_TOO_LARGE: &str = "context_too_large";

/// The code of a failure because the context cannot be written.
const CONTEXT_INVALID: &str = "context_invalid";

/// The completion of a poll that brought something.
pub(super) fn of_published(job: &Job, published: Published, finished_ms: i64) -> Completion {
    let stopped = stopped(published.stopped.as_ref(), published.refused.as_ref());
    let mut allowances = published.allowances;
    if let Some(error) = &published.stopped {
        allowances.extend_from_slice(error.allowances());
    }
    let completion = completion(
        job,
        outcome(published.context, stopped),
        allowances,
        published.calls,
        finished_ms,
    );
    Completion {
        saturated: published.saturated,
        events: published.events,
        created_ms: published.created_ms,
        ..completion
    }
    .clamped()
}

/// The completion of a poll that brought nothing.
pub(super) fn of_error(job: &Job, error: &PollError, finished_ms: i64) -> Completion {
    let failure = error.to_failure();
    completion(
        job,
        Outcome::Failed { failure },
        error.allowances().to_vec(),
        error.calls(),
        finished_ms,
    )
    .clamped()
}

fn completion(
    job: &Job,
    outcome: Outcome,
    mut allowances: Vec<Allowance>,
    told_calls: u32,
    finished_ms: i64,
) -> Completion {
    allowances.truncate(caps::MAX_ALLOWANCES);
    Completion {
        id: job.id.clone(),
        job_type: job.job_type.clone(),
        token: job.token,
        outcome,
        allowances,
        saturated: false,
        events: 0,
        created_ms: Vec::new(),
        // A layer of the author's may have polled twice, which the last result does not know.
        calls: told_calls.max(job.calls()),
        finished_ms,
        sent_ms: job.sent_ms(),
    }
}

/// A context that cannot be stored fails the poll, whose events are delivered by then: the job
/// keeps its old context, and the same events come again with the same ids.
fn outcome(context: Context, stopped: Option<Failure>) -> Outcome {
    match context.check() {
        Ok(()) => Outcome::Succeeded { context, stopped },
        Err(error) => {
            let code = match error {
                ContextError::TooLarge { .. } => CONTEXT_TOO_LARGE,
                _ => CONTEXT_INVALID,
            };
            Outcome::Failed {
                failure: invalid(code, &error.to_string()),
            }
        }
    }
}

/// The author's own reason to stop decides the class; refused events are told either way.
fn stopped(error: Option<&PollError>, refused: Option<&Refused>) -> Option<Failure> {
    let lost = refused.map(|refused| (refused, describe(refused)));
    match (error.map(PollError::to_failure), lost) {
        (failure, None) => failure,
        (None, Some((refused, lost))) => Some(invalid(refused.reason.code(), &lost)),
        (Some(failure), Some((_, lost))) => Some(Failure {
            message: Failure::new(failure.class, &format!("{lost}; {}", failure.message)).message,
            ..failure
        }),
    }
}

fn describe(refused: &Refused) -> String {
    match refused.events {
        1 => refused.reason.to_string(),
        events => format!("{} (and {} more events)", refused.reason, events - 1),
    }
}

fn invalid(code: &str, message: &str) -> Failure {
    Failure {
        code: ErrorCode::new(code).ok(),
        ..Failure::new(ErrorClass::Invalid, message)
    }
}
