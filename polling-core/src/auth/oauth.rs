//! Answers of token endpoints that speak OAuth 2.0.

use std::time::Duration;

use serde::Deserialize;

use super::{FreshToken, RefreshError, Secret, limits};

/// Reads the answer of an OAuth 2.0 token endpoint (RFC 6749, section 5): its HTTP status and its
/// body.
///
/// ```
/// use polling_core::auth::{RefreshErrorKind, oauth};
///
/// let fresh = oauth::read_answer(200, br#"{"access_token":"a","expires_in":3600,"token_type":"bearer"}"#)?;
/// assert_eq!(fresh.access.expose(), "a");
///
/// let error = oauth::read_answer(400, br#"{"error":"invalid_grant"}"#).unwrap_err();
/// assert_eq!(error.kind(), RefreshErrorKind::Refused);
/// # Ok::<(), polling_core::auth::RefreshError>(())
/// ```
///
/// # Errors
///
/// - `Refused` for `invalid_grant`: the refresh token is spent, expired or withdrawn
/// - `Unavailable` for the statuses 408, 425, 429, 5xx, and for the codes that say the same
/// - `Invalid` for anything else that is no token, and for a body over
///   [`limits::MAX_ANSWER_SIZE_BYTES`]
///
/// Nothing of the body is in the error but a known code.
pub fn read_answer(status: u16, body: &[u8]) -> Result<FreshToken, RefreshError> {
    if body.len() > limits::MAX_ANSWER_SIZE_BYTES {
        return Err(RefreshError::invalid(format!(
            "its answer has {} bytes: at most {} are read",
            body.len(),
            limits::MAX_ANSWER_SIZE_BYTES
        )));
    }
    // Some answer an error with 200.
    match status {
        200..=299 => read_token(body).map_err(|flaw| code(body).unwrap_or(flaw)),
        408 | 425 | 429 | 500..=599 => {
            Err(RefreshError::unavailable(format!("HTTP status {status}")))
        }
        _ => Err(code(body).unwrap_or_else(|| {
            RefreshError::invalid(format!("HTTP status {status} without a known error code"))
        })),
    }
}

/// A successful answer.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<Seconds>,
}

/// A number, or what some send: the number as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

impl Seconds {
    /// Negative or absurd lives are clamped where the token is kept. What is no number is none.
    fn life(&self) -> Option<Duration> {
        let seconds = match self {
            Self::Number(seconds) => *seconds,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        let bounded = seconds.clamp(0.0, limits::MAX_LIFE.as_secs_f64());
        Duration::try_from_secs_f64(bounded).ok()
    }
}

fn read_token(body: &[u8]) -> Result<FreshToken, RefreshError> {
    // The parser's own error may quote the body.
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|_| RefreshError::invalid("its answer is no JSON with an access_token"))?;
    Ok(FreshToken {
        access: Secret::new(answer.access_token),
        refresh: answer
            .refresh_token
            .filter(|refresh| !refresh.is_empty())
            .map(Secret::new),
        expires_in: answer.expires_in.and_then(|seconds| seconds.life()),
    })
}

/// The error that the body names, if the code is a known one.
fn code(body: &[u8]) -> Option<RefreshError> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    match refusal.error.as_str() {
        "invalid_grant" => Some(RefreshError::refused("invalid_grant")),
        code @ ("temporarily_unavailable" | "server_error" | "slow_down") => {
            Some(RefreshError::unavailable(code))
        }
        code @ ("invalid_request"
        | "invalid_client"
        | "unauthorized_client"
        | "unsupported_grant_type"
        | "invalid_scope"
        | "access_denied") => Some(RefreshError::invalid(code)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::auth::RefreshErrorKind::{self, Invalid, Refused, Unavailable};

    fn life(expires_in: &str) -> Option<Duration> {
        let body = format!(r#"{{"access_token":"a","expires_in":{expires_in}}}"#);
        read_answer(200, body.as_bytes()).unwrap().expires_in
    }

    #[test]
    fn lives_are_read_as_they_are_sent() {
        assert_eq!(life("3600"), Some(Duration::from_secs(3600)));
        assert_eq!(life("3600.5"), Some(Duration::from_millis(3_600_500)));
        assert_eq!(life("\"7200\""), Some(Duration::from_secs(7200)));
        assert_eq!(life("null"), None);
        assert_eq!(life("\"soon\""), None);
        assert_eq!(life("-5"), Some(Duration::ZERO));
        assert_eq!(life("1e300"), Some(limits::MAX_LIFE));
    }

    #[test]
    fn errors_are_told_apart() {
        let cases: [(u16, &str, RefreshErrorKind); 9] = [
            (400, r#"{"error":"invalid_grant"}"#, Refused),
            (200, r#"{"error":"invalid_grant"}"#, Refused),
            (401, r#"{"error":"invalid_client"}"#, Invalid),
            (400, r#"{"error":"temporarily_unavailable"}"#, Unavailable),
            (429, r#"{"error":"invalid_grant"}"#, Unavailable),
            (503, "<html>", Unavailable),
            (404, "<html>", Invalid),
            (200, "<html>", Invalid),
            (200, r#"{"access_token":42}"#, Invalid),
        ];
        for (status, body, kind) in cases {
            let error = read_answer(status, body.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), kind, "{status} {body}");
        }
    }

    #[test]
    fn an_oversized_answer_is_not_read() {
        let body = vec![b' '; limits::MAX_ANSWER_SIZE_BYTES + 1];
        assert_eq!(read_answer(200, &body).unwrap_err().kind(), Invalid);
    }

    proptest! {
        #[test]
        fn whatever_comes_nothing_of_it_is_shown(status in 0u16..700, canary in "[a-z]{12}") {
            let fields = ["error", "error_description", "refresh_token"];
            let fields = fields.map(|field| format!("\"{field}\":\"{canary}\""));
            let body = format!("{{{}}}", fields.join(","));
            let error = read_answer(status, body.as_bytes()).unwrap_err();
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(&canary));
        }

        #[test]
        fn any_bytes_are_answered(status: u16, body in vec(any::<u8>(), 0..64)) {
            let _ = read_answer(status, &body);
        }
    }
}
