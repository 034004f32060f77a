//! What a worker answers.

use std::mem;

use serde::{Deserialize, Serialize};

use crate::{Allowance, Context, ErrorClass, ErrorCode, JobId, JobType, Token, caps, created};

/// The answer to one dispatch of a job, stored on the completed queue after every event of the
/// poll was delivered. Its numbers come from outside and are untrusted: see
/// [`clamped`](Self::clamped).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion<C = Context> {
    /// The job.
    pub id: JobId,
    /// Its kind.
    #[serde(rename = "type")]
    pub job_type: JobType,
    /// The token of the dispatch, unchanged.
    pub token: Token,
    /// How the poll ended.
    pub outcome: Outcome<C>,
    /// What the channel said about its rate limits, at most [`caps::MAX_ALLOWANCES`].
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub allowances: Vec<Allowance>,
    /// There was more than the poll could fetch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub saturated: bool,
    /// Events published.
    #[serde(default)]
    pub events: u64,
    /// When the published items came to be at their source, UTC milliseconds, oldest first. Of more
    /// than [`caps::MAX_CREATED`] the newest are told; an item that was published again counts
    /// again.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "created")]
    pub created_ms: Vec<i64>,
    /// Calls to the channel that the poll made, at most [`caps::MAX_CALLS`]; 1 unless told. 0 if
    /// none was made, since the worker itself held the poll up.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub calls: u32,
    /// When the poll ended, UTC milliseconds by the worker's clock.
    pub finished_ms: i64,
    /// When the dispatch's message was sent, UTC milliseconds by the queue's clock. Told only where
    /// the message carried its trace, of which it is a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_ms: Option<i64>,
}

const fn one() -> u32 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
const fn is_one(calls: &u32) -> bool {
    *calls == 1
}

impl<C> Completion<C> {
    /// The same with absurd numbers mended: `created_ms` in order, none after `finished_ms` and
    /// none longer than [`caps::MAX_CREATED_AGE_MS`] before it, the newest [`caps::MAX_CREATED`]
    /// only; no more than [`caps::MAX_CALLS`] calls. Both sides of the wire do this.
    #[must_use]
    pub fn clamped(mut self) -> Self {
        let newest = self.finished_ms;
        let oldest = newest.saturating_sub(caps::MAX_CREATED_AGE_MS);
        let mut created_ms = mem::take(&mut self.created_ms);
        for at_ms in &mut created_ms {
            *at_ms = (*at_ms).clamp(oldest, newest);
        }
        created_ms.sort_unstable();
        let beyond = created_ms.len().saturating_sub(caps::MAX_CREATED);
        self.created_ms = created_ms.split_off(beyond);
        self.calls = self.calls.min(caps::MAX_CALLS);
        self
    }
}

/// How a poll ended.
// Tagged from outside: serde buffers what is tagged inside, and a buffered context cannot be
// passed through as raw text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome<C = Context> {
    /// The poll brought what it could.
    Succeeded {
        /// For the next poll.
        context: C,
        /// The error that ended paging early; what was fetched before it is published and kept.
        #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
        stopped: Option<Failure>,
    },
    /// The poll brought nothing; the job keeps its context.
    Failed {
        /// Why.
        failure: Failure,
    },
}

impl<C> Outcome<C> {
    /// The error, be it of the whole poll or of its last page.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Succeeded { stopped, .. } => stopped.as_ref(),
            Self::Failed { failure } => Some(failure),
        }
    }
}

/// An API error as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Decides the rule of rescheduling.
    pub class: ErrorClass,
    /// For rules finer than the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// For people; cut to [`caps::MAX_ERROR_MESSAGE_SIZE_BYTES`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// How long the channel asked to wait, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<i64>,
}

impl Failure {
    /// A failure whose message is cut to its bound. A character may take twelve bytes once
    /// encoded, hence the bound on the number of characters.
    #[must_use]
    pub fn new(class: ErrorClass, message: &str) -> Self {
        let message = message
            .chars()
            .take(caps::MAX_ERROR_MESSAGE_SIZE_BYTES / 12)
            .collect();
        Self {
            class,
            code: None,
            message,
            retry_after_ms: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_an_outcome_is_that_of_the_poll_or_of_its_last_page() {
        let failure = Failure::new(ErrorClass::RateLimited, "page 4");
        let stopped = |stopped| Outcome::Succeeded {
            context: Context::new(),
            stopped,
        };
        assert_eq!(stopped(None).failure(), None);
        assert_eq!(stopped(Some(failure.clone())).failure(), Some(&failure));
        let failed = Outcome::<Context>::Failed {
            failure: failure.clone(),
        };
        assert_eq!(failed.failure(), Some(&failure));
    }

    #[test]
    fn a_message_is_cut_so_that_its_encoding_fits() {
        let long = "\u{1f980}".repeat(caps::MAX_ERROR_MESSAGE_SIZE_BYTES);
        let message = Failure::new(ErrorClass::Invalid, &long).message;
        assert_eq!(
            message.chars().count(),
            caps::MAX_ERROR_MESSAGE_SIZE_BYTES / 12
        );
        assert_eq!(Failure::new(ErrorClass::Invalid, "short").message, "short");
    }
}
