//! What the channel answered.

use std::{fmt, time::Duration};

use http::{HeaderMap, StatusCode};
use reqwest::Url;
use serde::de::DeserializeOwned;

use super::{Validators, caps, classify, dialect::Reading, link, redirect};
use crate::{Allowance, ErrorClass, PollError, ScopeKey};

/// A whole answer: status, headers, and a body within its bounds.
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) url: Url,
    pub(super) reading: Reading,
    /// Those the call was sent with.
    pub(super) validators: Validators,
    pub(super) received_ms: i64,
}

impl Answer {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body; of an error at most [`caps::MAX_ERROR_BODY_SIZE_BYTES`].
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether nothing has changed since the [validators](super::Call::if_changed) that were sent.
    #[must_use]
    pub fn not_modified(&self) -> bool {
        self.status == StatusCode::NOT_MODIFIED && self.validators != Validators::default()
    }

    /// What the channel said about its rate limits. Hand it on: in
    /// [`Polled`](crate::Polled::allowances), or in the error that is made of this answer.
    #[must_use]
    pub fn allowances(&self) -> &[Allowance] {
        &self.reading.allowances
    }

    /// When it came, UTC milliseconds by the worker's clock: for channels that tell the limits of
    /// several scopes in one answer. What is another scope's is read with a
    /// [`Dialect`](super::dialect::Dialect) of its own.
    #[must_use]
    pub fn received_ms(&self) -> i64 {
        self.received_ms
    }

    /// How long the channel asked to wait, at most [`caps::MAX_RESET_AHEAD_MS`].
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.reading.retry_after
    }

    /// The answer, if its status is a success or says that nothing has changed.
    ///
    /// # Errors
    ///
    /// [`refused`](Self::refused) otherwise.
    pub fn check(self) -> Result<Self, PollError> {
        if self.status.is_success() || self.not_modified() {
            Ok(self)
        } else {
            Err(self.refused())
        }
    }

    /// The error that the status means, with what the channel told of its limits.
    ///
    /// | status | class |
    /// |---|---|
    /// | 429, 420; 403 with a limit used up or `Retry-After` | rate limited |
    /// | 401, 403, 407 | unauthorized |
    /// | 404, 410 | gone |
    /// | 408, 425, 5xx | transient |
    /// | any other | invalid |
    #[must_use]
    pub fn refused(&self) -> PollError {
        classify::refused(self.status, &self.reading)
    }

    /// An error of a class of your own choosing, with what the channel told of its limits: for
    /// channels whose bodies say more than the status does. The message travels to the scheduler
    /// and to people: no secrets.
    #[must_use]
    pub fn error(&self, class: ErrorClass, message: impl Into<String>) -> PollError {
        classify::informed(PollError::new(class, message), &self.reading)
    }

    /// The body as text.
    ///
    /// # Errors
    ///
    /// [`PollError::invalid`] if it is no UTF-8.
    pub fn text(&self) -> Result<&str, PollError> {
        str::from_utf8(&self.body).map_err(|error| {
            let at = error.valid_up_to();
            self.invalid(format!("the answer is no UTF-8 from byte {at} on"))
                .with_code("not_utf8")
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// [`PollError::invalid`] if it is no JSON, nests too deeply, or has other types than `T`. It
    /// says where, and what was expected there, but not what was found: that may be a secret.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, PollError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.invalid(explain(&error)).with_code("not_json"))
    }

    /// The validators to keep for the next call: this answer's, or those that still hold.
    #[must_use]
    pub fn validators(&self) -> Validators {
        if self.not_modified() {
            return self.validators.clone();
        }
        Validators::of(&self.headers)
    }

    /// The next page, as `Link` tells; none if this is the last.
    ///
    /// # Errors
    ///
    /// See [`link`](Self::link).
    pub fn next(&self) -> Result<Option<Url>, PollError> {
        self.link("next")
    }

    /// The target of the `Link` of relation `rel`.
    ///
    /// # Errors
    ///
    /// [`PollError::invalid`] with the code `link` if it is no URL, or one of another server, which
    /// must not get what is meant for this one; or if what may hold it cannot be read.
    pub fn link(&self, rel: &str) -> Result<Option<Url>, PollError> {
        let invalid = |message| self.invalid(message).with_code("link");
        let target = link::target(&self.headers, rel)
            .map_err(|fault| invalid(format!("the Link header {fault}")))?;
        let Some(target) = target else {
            return Ok(None);
        };
        match self.url.join(target) {
            Ok(url) if redirect::same_server(&self.url, &url) => Ok(Some(url)),
            Ok(_) => Err(invalid(format!("the {rel} page is on another server"))),
            Err(_) => Err(invalid(format!("the link to the {rel} page is no URL"))),
        }
    }

    /// How often the channel wants to be asked, as `X-Poll-Interval` tells in seconds; at most
    /// [`caps::MAX_POLL_INTERVAL`].
    #[must_use]
    pub fn poll_interval(&self) -> Option<Duration> {
        let text = self.headers.get("x-poll-interval")?.to_str().ok()?;
        let interval = Duration::from_secs(text.trim().parse().ok()?);
        Some(interval.min(caps::MAX_POLL_INTERVAL))
    }

    /// The same as an allowance of `scope`: one call, used up until the interval is over. The
    /// worker then refuses polls of that scope that come too early. Add it to what the poll brought
    /// once it has paged: it stands for the next poll, not for the next page.
    #[must_use]
    pub fn poll_interval_allowance(&self, scope: ScopeKey) -> Option<Allowance> {
        let interval_ms = self.poll_interval()?.as_millis() as i64;
        let allowance = Allowance {
            limit: Some(1),
            remaining: Some(0),
            reset_at_ms: Some(self.received_ms.saturating_add(interval_ms)),
            window_ms: Some(interval_ms),
            ..Allowance::of(scope)
        };
        Some(allowance.clamped(self.received_ms))
    }

    fn invalid(&self, message: String) -> PollError {
        self.error(ErrorClass::Invalid, message)
    }
}

/// What is wrong with JSON, without what was found in it.
fn explain(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    // Only what the types ask for: what comes before is what was found.
    let expected = text.rsplit_once(", expected ").filter(|_| {
        let kinds = [
            "invalid type: ",
            "invalid value: ",
            "invalid length ",
            "unknown ",
        ];
        // Where nothing was expected, only what was found can say so.
        let nothing = text.contains("`, there are no ");
        !nothing && kinds.iter().any(|kind| text.starts_with(kind))
    });
    let placeless = |text: &str| match text.rsplit_once(" at line ") {
        Some((what, _)) => what.to_owned(),
        None => text.to_owned(),
    };
    let what = match expected {
        Some((_, expected)) => format!("has something else than {}", placeless(expected)),
        None if text.starts_with("missing field ") => format!("has a {}", placeless(&text)),
        None if error.is_data() => "is not of the kind expected".to_owned(),
        None => "is no JSON".to_owned(),
    };
    format!("the answer {what}, line {line} column {column}")
}

/// Without the body and the URL: each may hold a secret.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("host", &self.url.host_str())
            .field("body_size_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "its types are what is tested")]
    struct Status {
        id: u64,
    }

    fn explained(text: &str) -> String {
        explain(&serde_json::from_str::<Vec<Status>>(text).unwrap_err())
    }

    #[test]
    fn wrong_json_is_explained_without_what_was_found() {
        for (text, explanation) in [
            ("[{\"id\":\"x, expected s3cret\"}]", None),
            (
                "[{\"id\":\"s3cret\"}]",
                Some("the answer has something else than u64, line 1 column 15"),
            ),
            (
                "{\"s3cret\":1}",
                Some("the answer has something else than a sequence, line 1 column 0"),
            ),
            (
                "[{}]",
                Some("the answer has a missing field `id`, line 1 column 3"),
            ),
            (
                "[{\"id\":1}",
                Some("the answer is no JSON, line 1 column 9"),
            ),
            (
                "<html>s3cret",
                Some("the answer is no JSON, line 1 column 1"),
            ),
            ("", Some("the answer is no JSON, line 1 column 0")),
        ] {
            let got = explained(text);
            assert!(!got.contains("s3cret"), "{got}");
            if let Some(explanation) = explanation {
                assert_eq!(got, explanation);
            }
        }
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        let unknown = serde_json::from_str::<Nothing>("{\"x, expected s3cret\":1}").unwrap_err();
        assert_eq!(
            explain(&unknown),
            "the answer is not of the kind expected, line 1 column 21"
        );
        let deep = "[".repeat(100_000);
        assert!(explained(&deep).starts_with("the answer "));
    }
}
