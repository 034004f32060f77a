//! An API error, with what the scheduler needs to decide the next poll.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use crate::{Allowance, BoxError, ErrorClass, ErrorCode, model};

/// A poll that the channel refused or that brought nothing, for one of the reasons of
/// [`ErrorClass`]. The class is decided here, once; rescheduling, logs and metrics read it.
///
/// It is completed, not retried: the job's rules say when to poll again.
///
/// ```
/// use std::time::Duration;
/// use polling_core::PollError;
///
/// let error = PollError::rate_limited("too many requests")
///     .with_code("429")
///     .with_retry_after(Duration::from_secs(60));
/// assert_eq!(error.to_string(), "rate_limited: too many requests");
/// ```
#[derive(Debug, Clone)]
pub struct PollError(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    class: ErrorClass,
    message: String,
    code: Option<ErrorCode>,
    allowances: Vec<Allowance>,
    retry_after: Option<Duration>,
    calls: u32,
    // Shared, so that an error found within a chain of others can be taken out by cloning.
    source: Option<Arc<dyn Error + Send + Sync>>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $class:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// The message travels to the scheduler and to people: no secrets.
        #[must_use]
        pub fn $name(message: impl Into<String>) -> Self {
            Self::new(ErrorClass::$class, message)
        }
    )*};
}

impl PollError {
    /// An error of `class`. The message travels to the scheduler and to people: no secrets.
    #[must_use]
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            class,
            message: message.into(),
            code: None,
            allowances: Vec::new(),
            retry_after: None,
            calls: 1,
            source: None,
        }))
    }

    constructors! {
        /// The channel refused the call for now. Not a failure of the job.
        rate_limited => RateLimited;
        /// The account's credentials were refused.
        unauthorized => Unauthorized;
        /// The account or the resource exists no more.
        gone => Gone;
        /// Network, timeout, 5xx: likely to pass.
        transient => Transient;
        /// The request or the answer makes no sense: a retry alone will not mend it.
        invalid => Invalid;
        /// The poll was stopped from our side. Not a failure of the job.
        interrupted => Interrupted;
    }

    /// Adds the channel's own code, for rules finer than the class. It may come from outside: what
    /// a code cannot hold becomes `_`, and what is too long is cut.
    #[must_use]
    pub fn with_code(mut self, code: impl AsRef<str>) -> Self {
        self.0.code = sanitize(code.as_ref());
        self
    }

    /// Adds what the channel said about one of its rate limits.
    #[must_use]
    pub fn with_allowance(mut self, allowance: Allowance) -> Self {
        self.0.allowances.push(allowance);
        self
    }

    /// Adds how long the channel asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.0.retry_after = Some(retry_after);
        self
    }

    /// Notes how many calls to the channel the poll made, the one that failed included; 1 unless
    /// set. If the job [counted](crate::Job::calls) more, that holds.
    #[must_use]
    pub fn with_calls(mut self, calls: u32) -> Self {
        self.0.calls = calls;
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// The class.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        self.0.class
    }

    /// The message, without the class.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The channel's own code.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        self.0.code.as_ref()
    }

    /// What the channel said about its rate limits.
    #[must_use]
    pub fn allowances(&self) -> &[Allowance] {
        &self.0.allowances
    }

    /// How long the channel asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How many calls to the channel were made, the one that failed included.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.0.calls
    }

    /// The error as it travels to the scheduler, without its source.
    #[must_use]
    pub fn to_failure(&self) -> model::Failure {
        let mut failure = model::Failure::new(self.0.class, &self.0.message);
        failure.code = self.0.code.clone();
        failure.retry_after_ms = self.0.retry_after.map(|wait| {
            let bound = model::caps::MAX_RESET_AHEAD_MS;
            i64::try_from(wait.as_millis()).map_or(bound, |wait_ms| wait_ms.min(bound))
        });
        failure
    }
}

fn sanitize(code: &str) -> Option<ErrorCode> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let code: String = code
        .chars()
        .take(model::caps::MAX_ERROR_CODE_LEN)
        .map(|c| if allowed(c) { c } else { '_' })
        .collect();
    // Only the empty code is left to refuse.
    ErrorCode::new(code).ok()
}

impl fmt::Display for PollError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.class, self.0.message)
    }
}

impl Error for PollError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_leaves_the_source_to_the_source() {
        let error = PollError::transient("no answer").with_source("connection reset");
        assert_eq!(error.to_string(), "transient: no answer");
        assert_eq!(error.source().unwrap().to_string(), "connection reset");
        assert_eq!(error.to_failure().message, "no answer");
    }

    #[test]
    fn a_code_from_outside_is_made_valid() {
        let code = |text: &str| PollError::invalid("x").with_code(text).code().cloned();
        assert_eq!(code("rate limit {é}").unwrap().as_str(), "rate_limit____");
        assert_eq!(code(&"a".repeat(999)).unwrap().as_str().len(), 64);
        assert_eq!(code(""), None);
    }

    #[test]
    fn an_absurd_wait_is_clamped() {
        let error = PollError::rate_limited("later").with_retry_after(Duration::MAX);
        assert_eq!(
            error.to_failure().retry_after_ms,
            Some(model::caps::MAX_RESET_AHEAD_MS)
        );
    }
}
