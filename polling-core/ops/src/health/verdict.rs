//! What one look says.

use std::{error::Error, fmt};

use polling_model::chain;

use super::reason;

/// How something is. The worst of several is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// As it should be.
    Passing,
    /// It works, but an operator should look.
    Degraded,
    /// Nobody has looked yet.
    Unknown,
    /// It does not work.
    Failing,
}

impl State {
    /// Whether callers may be sent here.
    #[must_use]
    pub const fn serves(self) -> bool {
        matches!(self, Self::Passing | Self::Degraded)
    }

    /// Its name, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passing => "passing",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
            Self::Failing => "failing",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a check answers: a state, and unless it passes the reason.
///
/// It is made from a `bool`, from a `Result<(), E>` or a `Result<Verdict, E>`, whose error with
/// all its causes is the reason. A reason is cut to [`MAX_REASON_LEN`](super::MAX_REASON_LEN)
/// characters, and what looks like a password or a token in it is masked. That is a net under the
/// rule that errors hold no secrets, not a replacement of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    state: State,
    reason: Option<String>,
}

impl Verdict {
    /// As it should be.
    #[must_use]
    pub const fn passing() -> Self {
        Self {
            state: State::Passing,
            reason: None,
        }
    }

    /// It works, but an operator should look.
    #[must_use]
    pub fn degraded(reason: impl AsRef<str>) -> Self {
        Self {
            state: State::Degraded,
            reason: Some(reason::presentable(reason.as_ref())),
        }
    }

    /// It does not work.
    #[must_use]
    pub fn failing(reason: impl AsRef<str>) -> Self {
        Self {
            state: State::Failing,
            reason: Some(reason::presentable(reason.as_ref())),
        }
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Why it is not passing.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The same, at worst degraded.
    pub(super) fn softened(mut self) -> Self {
        self.state = self.state.min(State::Degraded);
        self
    }

    pub(super) fn into_parts(self) -> (State, Option<String>) {
        (self.state, self.reason)
    }
}

impl From<bool> for Verdict {
    fn from(passes: bool) -> Self {
        if passes {
            Self::passing()
        } else {
            Self::failing("the check answered no")
        }
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<Result<(), E>> for Verdict {
    fn from(answer: Result<(), E>) -> Self {
        answer.map(|()| Self::passing()).into()
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<Result<Self, E>> for Verdict {
    fn from(answer: Result<Self, E>) -> Self {
        answer.unwrap_or_else(|error| {
            let error: Box<dyn Error + Send + Sync> = error.into();
            Self::failing(chain(&*error))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the store is away")]
    struct Away(#[source] std::io::Error);

    #[test]
    fn an_errors_causes_are_part_of_the_reason() {
        let error = Away(std::io::Error::other("connection refused"));
        let verdict = Verdict::from(Err::<(), _>(error));
        assert_eq!(verdict.state(), State::Failing);
        assert_eq!(
            verdict.reason(),
            Some("the store is away: connection refused")
        );
    }

    #[test]
    fn an_answer_may_be_degraded() {
        let verdict = Verdict::from(Ok::<_, String>(Verdict::degraded("one of two is away")));
        assert_eq!(verdict.state(), State::Degraded);
        assert!(verdict.state().serves());
        assert_eq!(verdict.reason(), Some("one of two is away"));
    }

    #[test]
    fn a_failure_can_be_softened_and_a_pass_stays_one() {
        let softened = Verdict::from(false).softened();
        assert_eq!(softened.state(), State::Degraded);
        assert_eq!(Verdict::from(true).softened(), Verdict::passing());
    }
}
