//! Why a refresh failed, and whom that concerns.

use std::{error::Error, fmt, time::Duration};

use super::{Credentials, Secret, limits};
use crate::{BoxError, ErrorClass, PollError};

/// A refresh that brought no token.
///
/// | made by | means | the account cools down | all accounts cool down | class of the polls |
/// |---|---|---|---|---|
/// | [`refused`](Self::refused) | the user withdrew the grant: repeating will not help | for long | no | `Unauthorized` |
/// | [`unavailable`](Self::unavailable) | network, timeout, 5xx, 429 | yes | yes | `Transient` |
/// | [`invalid`](Self::invalid) | an answer that makes no sense, or our application is refused | yes | yes | `Invalid` |
///
/// Messages and sources travel to logs and to the scheduler. The tokens in question are cut out of
/// them; any other secret is yours to leave out.
#[derive(Debug)]
pub struct RefreshError {
    kind: RefreshErrorKind,
    message: String,
    retry_after: Option<Duration>,
    source: Option<BoxError>,
}

/// Kinds of [`RefreshError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshErrorKind {
    /// The account's grant is no longer good.
    Refused,
    /// The endpoint gave no answer, or none for now.
    Unavailable,
    /// The endpoint's answer makes no sense, or says that our request makes none.
    Invalid,
}

impl RefreshError {
    /// The endpoint refused this account for good, with its own `code`, such as `invalid_grant`.
    #[must_use]
    pub fn refused(code: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Refused, code.into())
    }

    /// The endpoint could not be reached, timed out, is overloaded or broken.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Unavailable, message.into())
    }

    /// The answer cannot be understood, or the endpoint refuses our application.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Invalid, message.into())
    }

    fn new(kind: RefreshErrorKind, message: String) -> Self {
        Self {
            kind,
            message,
            retry_after: None,
            source: None,
        }
    }

    /// Adds how long the endpoint asked to wait: the cool-down is at least that, within
    /// [`TokensConfig::cool_down`](super::TokensConfig::cool_down)'s longest.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Which kind.
    #[must_use]
    pub fn kind(&self) -> RefreshErrorKind {
        self.kind
    }

    /// How long the endpoint asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What the polls that need the token fail with; nothing of `current` is in it.
    pub(super) fn into_poll_error(self, current: Option<&Credentials>) -> PollError {
        let secrets = Secrets::of(current);
        let message = secrets.cut_out(&self.message);
        let error = match self.kind {
            RefreshErrorKind::Refused => refused(&message),
            RefreshErrorKind::Unavailable => PollError::new(
                ErrorClass::Transient,
                format!("the token endpoint failed: {message}"),
            )
            .with_code("token_endpoint"),
            RefreshErrorKind::Invalid => PollError::new(
                ErrorClass::Invalid,
                format!("the token endpoint cannot be used: {message}"),
            )
            .with_code("token_endpoint"),
        };
        match self.source {
            Some(source) => error.with_source(secrets.cut_out(&chain(&*source))),
            None => error,
        }
    }
}

/// What polls of an account fail with whose grant was refused with `code`.
pub(super) fn refused(code: &str) -> PollError {
    PollError::unauthorized(format!(
        "the token endpoint refused the account for good ({code}): have its owner connect it anew, then store the new token"
    ))
    .with_code(code)
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            RefreshErrorKind::Refused => "refused",
            RefreshErrorKind::Unavailable => "unavailable",
            RefreshErrorKind::Invalid => "invalid",
        };
        write!(f, "{what}: {}", self.message)
    }
}

impl Error for RefreshError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}

/// An error with all that caused it, as one text.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        if text.len() > limits::MAX_MESSAGE_LEN {
            break;
        }
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The secrets that a refresh had in hand.
struct Secrets<'a>(Vec<&'a Secret>);

impl<'a> Secrets<'a> {
    fn of(current: Option<&'a Credentials>) -> Self {
        let secrets = current.into_iter().flat_map(|current| {
            let refresh = current.refresh.as_ref();
            [Some(&current.access), refresh].into_iter().flatten()
        });
        Self(secrets.collect())
    }

    /// `text` without them, as they are and as they look within an address, and not too long.
    fn cut_out(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let secrets = self.0.iter().map(|secret| secret.expose().as_bytes());
        for secret in secrets.filter(|secret| secret.len() >= limits::SHORTEST_SECRET_LEN) {
            text = without(&text, secret);
        }
        // After the secrets are gone, so that no part of one is left over.
        text.truncate(text.floor_char_boundary(limits::MAX_MESSAGE_LEN));
        text
    }
}

/// `text` with `secret` cut out, whichever of its bytes are percent-encoded: addresses and forms
/// do not agree on which must be.
fn without(text: &str, secret: &[u8]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = after_secret(rest, secret) {
            kept.push_str("[secret]");
            rest = after;
        } else {
            kept.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    kept
}

/// What follows `secret` in a text that begins with it.
fn after_secret<'t>(text: &'t str, secret: &[u8]) -> Option<&'t str> {
    let mut bytes = text.as_bytes();
    for expected in secret {
        let len = match *bytes {
            [byte, ..] if byte == *expected => 1,
            [b'+', ..] if *expected == b' ' => 1,
            [b'%', high, low, ..] if decoded(high, low) == Some(*expected) => 3,
            _ => return None,
        };
        bytes = &bytes[len..];
    }
    // A secret is whole characters, so that it ends where one ends.
    text.get(text.len() - bytes.len()..)
}

fn decoded(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("error sending request for url (https://x.example/token?refresh_token=refresh%2F1)")]
    struct Leaky(#[source] std::io::Error);

    fn current() -> Credentials {
        Credentials {
            access: "access-canary".into(),
            refresh: Some("refresh/1".into()),
            issued_at_ms: 0,
            expires_at_ms: None,
        }
    }

    #[test]
    fn the_tokens_are_cut_out_of_message_and_source() {
        let source = Leaky(std::io::Error::other("access-canary went nowhere"));
        let error = RefreshError::unavailable("cannot send refresh/1").with_source(source);
        let error = error.into_poll_error(Some(&current()));
        let shown = format!("{error} {error:?} {}", error.source().unwrap());
        assert!(!shown.contains("access-canary"), "{shown}");
        assert!(
            !shown.contains("refresh/1") && !shown.contains("h%2F1"),
            "{shown}"
        );
        assert!(shown.contains("refresh_token=[secret]): [secret] went nowhere"));
    }

    #[test]
    fn tokens_are_cut_out_however_an_address_writes_them() {
        let current = Credentials {
            access: "1//0g~a*b+c access".into(),
            ..current()
        };
        for written in [
            "1//0g~a*b+c access",
            "1%2F%2F0g~a%2Ab%2Bc%20access",
            "1%2f%2f0g%7ea*b%2bc+access",
            "1//0g%7Ea*b%2Bc+access",
        ] {
            let error = RefreshError::unavailable(format!("GET /t?of={written}&x=1"));
            let error = error.into_poll_error(Some(&current));
            assert!(
                error.message().ends_with("GET /t?of=[secret]&x=1"),
                "{error}"
            );
        }
    }

    #[test]
    fn each_kind_has_its_class() {
        let class = |error: RefreshError| error.into_poll_error(None).class();
        assert_eq!(class(RefreshError::refused("x")), ErrorClass::Unauthorized);
        assert_eq!(class(RefreshError::unavailable("x")), ErrorClass::Transient);
        assert_eq!(class(RefreshError::invalid("x")), ErrorClass::Invalid);
    }

    #[test]
    fn a_long_message_is_cut_on_a_character() {
        let error = RefreshError::invalid("é".repeat(9_999)).into_poll_error(None);
        assert!(error.message().len() < limits::MAX_MESSAGE_LEN + 64);
    }
}
