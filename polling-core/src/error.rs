//! What can go wrong between the poller and the acknowledgement. Each layer adds its own kind to
//! what it took over from the layer within.

use std::{error::Error, fmt};

use crate::{BoxError, BusError, PollError, model::wire::WireError};

/// A poll that did not end as a poll should. It is not completed: its message is delivered again,
/// and ends on the dead-letter queue if that does not help.
#[derive(Debug, thiserror::Error)]
#[error("{kind}; the message will be delivered again")]
pub struct Bug {
    kind: BugKind,
    #[source]
    source: Option<BoxError>,
}

/// Kinds of bugs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BugKind {
    /// The poll panicked.
    Panic,
    /// A layer of the user's failed with something else than a [`PollError`].
    Middleware,
}

impl Bug {
    pub(crate) fn panic() -> Self {
        // The payload is left to the panic hook, which the program's owner controls.
        Self {
            kind: BugKind::Panic,
            source: None,
        }
    }

    pub(crate) fn middleware(source: BoxError) -> Self {
        Self {
            kind: BugKind::Middleware,
            source: Some(source),
        }
    }

    /// Which kind.
    #[must_use]
    pub fn kind(&self) -> BugKind {
        self.kind
    }
}

impl BugKind {
    /// The name used in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Middleware => "middleware",
        }
    }
}

impl fmt::Display for BugKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panic => "the poll panicked",
            Self::Middleware => "a layer around the poller failed with no PollError",
        })
    }
}

/// What `Timeout` and `RateLimit` fail with.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// An API error, to be completed.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// A bug, not to be completed.
    #[error(transparent)]
    Bug(#[from] Bug),
}

impl CallError {
    /// Looks through the whole chain of `error` for a [`PollError`], so that a layer may wrap what
    /// it passes on. Without one it is a bug.
    #[must_use]
    pub fn from_boxed(error: BoxError) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(own) => return *own,
            Err(error) => error,
        };
        let mut cause: Option<&(dyn Error + 'static)> = Some(&*error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref::<PollError>() {
                return Self::Poll(found.clone());
            }
            cause = error.source();
        }
        Self::Bug(Bug::middleware(error))
    }

    /// The API error, if it is one.
    #[must_use]
    pub fn as_poll(&self) -> Option<&PollError> {
        match self {
            Self::Poll(error) => Some(error),
            Self::Bug(_) => None,
        }
    }
}

/// What `Publish` and `CatchPanic` fail with.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// An API error: nothing to publish, to be completed.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// An event was not delivered, or its fate is unknown. Not to be completed: the repeat
    /// publishes the same event ids.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A bug, not to be completed.
    #[error(transparent)]
    Bug(#[from] Bug),
}

impl From<CallError> for PublishError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Poll(error) => Self::Poll(error),
            CallError::Bug(bug) => Self::Bug(bug),
        }
    }
}

/// What `Complete` fails with: no completion is stored, so the message must stay.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompleteError {
    /// An event was not delivered.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The poll did not end as a poll should.
    #[error(transparent)]
    Bug(#[from] Bug),
    /// The completion cannot be written.
    #[error("the completion cannot be written")]
    Encode(#[from] WireError),
    /// The completed queue did not take the completion.
    #[error("completed queue {queue} did not take the completion in {attempts} attempts: {reason}")]
    Store {
        /// The queue's name.
        queue: String,
        /// How often it was tried.
        attempts: u32,
        /// What was seen last.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("retries are used up")]
    struct Wrapped(#[source] BoxError);

    #[test]
    fn a_poll_error_is_found_however_deep_it_is_wrapped() {
        let deep = Wrapped(Wrapped(PollError::gone("no such account").into()).into());
        let found = CallError::from_boxed(deep.into());
        assert_eq!(
            found.as_poll().unwrap().to_string(),
            "gone: no such account"
        );
    }

    #[test]
    fn any_other_error_is_a_bug_that_keeps_its_source() {
        let CallError::Bug(bug) = CallError::from_boxed(Wrapped("oops".into()).into()) else {
            panic!("not a poll error")
        };
        assert_eq!(bug.kind(), BugKind::Middleware);
        assert_eq!(bug.source().unwrap().to_string(), "retries are used up");
    }
}
