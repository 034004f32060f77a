//! What a refusal or a silence means, decided once.

use http::StatusCode;

use super::{
    dialect::{Reading, is_too_many},
    guard::PrivateAddress,
};
use crate::{ErrorClass, PollError};

/// The error of a status that is no success: see [`Answer::refused`](super::Answer::refused).
pub(super) fn refused(status: StatusCode, reading: &Reading) -> PollError {
    let message = match status.canonical_reason() {
        Some(reason) => format!("the channel answered {} {reason}", status.as_u16()),
        None => format!("the channel answered {}", status.as_u16()),
    };
    let error = PollError::new(class(status, reading), message).with_code(status.as_str());
    informed(error, reading)
}

/// The same error with what the channel told of its limits.
pub(super) fn informed(error: PollError, reading: &Reading) -> PollError {
    let allowances = reading.allowances.iter().cloned();
    let error = allowances.fold(error, PollError::with_allowance);
    match reading.retry_after {
        Some(wait) => error.with_retry_after(wait),
        None => error,
    }
}

fn class(status: StatusCode, reading: &Reading) -> ErrorClass {
    let used_up = reading
        .allowances
        .iter()
        .any(|allowance| allowance.remaining == Some(0));
    match status.as_u16() {
        _ if is_too_many(status) => ErrorClass::RateLimited,
        403 if used_up || reading.retry_after.is_some() => ErrorClass::RateLimited,
        401 | 403 | 407 => ErrorClass::Unauthorized,
        404 | 410 => ErrorClass::Gone,
        408 | 425 | 500.. => ErrorClass::Transient,
        _ => ErrorClass::Invalid,
    }
}

/// The error of a call without a whole answer. Its URL may hold a secret: the host alone is told.
pub(super) fn transport(error: reqwest::Error) -> PollError {
    let host = error.url().and_then(|url| url.host_str());
    let host = host.unwrap_or("the channel").to_owned();
    if PrivateAddress::caused(&error) {
        return private(&host);
    }
    let (message, code) = if error.is_timeout() {
        (format!("no answer from {host} in time"), "timeout")
    } else if error.is_connect() {
        (format!("no connection to {host}"), "connect")
    } else if error.is_builder() {
        return PollError::invalid("the call is no HTTP request").with_source(error.without_url());
    } else {
        (
            format!("the answer of {host} is broken off or malformed"),
            "broken",
        )
    };
    PollError::transient(message)
        .with_code(code)
        .with_source(error.without_url())
}

/// The error of a host that may not be called.
pub(super) fn private(host: &str) -> PollError {
    let message =
        format!("the address of {host} is private; name it in private_hosts if it may be called");
    PollError::invalid(message)
        .with_code("private_address")
        .with_source(PrivateAddress)
}

/// The error of a redirect that is not followed.
pub(super) fn redirected(why: &str) -> PollError {
    PollError::invalid(format!("the channel redirected the call, {why}")).with_code("redirect")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Allowance, ScopeKey};

    fn class_of(status: u16, reading: &Reading) -> ErrorClass {
        refused(StatusCode::from_u16(status).unwrap(), reading).class()
    }

    #[test]
    fn a_status_has_one_class() {
        let plain = Reading::default();
        for (statuses, class) in [
            (&[429, 420][..], ErrorClass::RateLimited),
            (&[401, 403, 407], ErrorClass::Unauthorized),
            (&[404, 410], ErrorClass::Gone),
            (
                &[408, 425, 500, 502, 503, 504, 599, 999],
                ErrorClass::Transient,
            ),
            (&[300, 304, 400, 406, 422, 451], ErrorClass::Invalid),
        ] {
            for status in statuses {
                assert_eq!(class_of(*status, &plain), class, "{status}");
            }
        }
    }

    #[test]
    fn a_403_is_a_rate_limit_if_the_headers_say_so() {
        let scope = ScopeKey::new("app").unwrap();
        let left = |remaining| Reading {
            allowances: vec![Allowance {
                remaining: Some(remaining),
                ..Allowance::of(scope.clone())
            }],
            ..Reading::default()
        };
        let waits = Reading {
            retry_after: Some(Duration::from_secs(60)),
            ..Reading::default()
        };
        assert_eq!(class_of(403, &left(0)), ErrorClass::RateLimited);
        assert_eq!(class_of(403, &waits), ErrorClass::RateLimited);
        assert_eq!(class_of(403, &left(7)), ErrorClass::Unauthorized);
    }

    #[test]
    fn an_error_carries_what_the_channel_told() {
        let scope = ScopeKey::new("app").unwrap();
        let reading = Reading {
            allowances: vec![Allowance::of(scope)],
            retry_after: Some(Duration::from_secs(9)),
            unread: Vec::new(),
        };
        let error = refused(StatusCode::TOO_MANY_REQUESTS, &reading);
        assert_eq!(
            error.to_string(),
            "rate_limited: the channel answered 429 Too Many Requests"
        );
        assert_eq!(error.code().unwrap().as_str(), "429");
        assert_eq!(error.allowances(), reading.allowances);
        assert_eq!(error.retry_after(), reading.retry_after);
    }
}
