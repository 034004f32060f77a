//! What is to be known of gRPC: its headers, its codes, and which methods there are.

use std::{
    collections::BTreeSet,
    sync::{PoisonError, RwLock},
};

use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};

/// Methods that one layer tells by name; what is beyond is told as `other`.
pub const MAX_METHODS: usize = 200;

/// Longest name of a method that is told.
const MAX_METHOD_SIZE_BYTES: usize = 256;

/// As a value: a text would be read as a name at each look.
static STATUS: HeaderName = HeaderName::from_static("grpc-status");
pub(super) const OTHER: &str = "other";
pub(super) const OK: &str = CODES[0];
pub(super) const CANCELLED: &str = CODES[1];
pub(super) const UNKNOWN: &str = CODES[2];
pub(super) const UNIMPLEMENTED: &str = CODES[12];

/// By number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Whether a request is of gRPC over HTTP/2, whose status follows the messages.
pub(super) fn is_of(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// The code in these trailers, or headers, if there is any.
pub(super) fn status_in(headers: &HeaderMap) -> Option<&'static str> {
    let number = match headers.get(&STATUS)?.as_bytes() {
        [ones @ b'0'..=b'9'] => usize::from(ones - b'0'),
        [b'1', ones @ b'0'..=b'9'] => usize::from(10 + ones - b'0'),
        _ => return Some(UNKNOWN),
    };
    Some(CODES.get(number).copied().unwrap_or(UNKNOWN))
}

/// Whether a code says that the server is at fault, rather than who calls it.
pub(super) fn is_of_server(status: &str) -> bool {
    matches!(
        status,
        "UNKNOWN"
            | "DEADLINE_EXCEEDED"
            | "UNIMPLEMENTED"
            | "INTERNAL"
            | "UNAVAILABLE"
            | "DATA_LOSS"
    )
}

/// The methods that were called, up to a bound.
#[derive(Default)]
pub(super) struct Methods(RwLock<BTreeSet<Box<str>>>);

impl Methods {
    /// The method, if it is one of those that are told by name.
    pub(super) fn known<'a>(&self, method: &'a str) -> &'a str {
        let there = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if there.contains(method) {
            return method;
        }
        drop(there);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if method.len() > MAX_METHOD_SIZE_BYTES || known.len() >= MAX_METHODS {
            return OTHER;
        }
        known.insert(method.into());
        method
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_beyond_the_bound_are_others() {
        let methods = Methods::default();
        let long = "x".repeat(MAX_METHOD_SIZE_BYTES + 1);
        assert_eq!(methods.known(&long), OTHER);
        for n in 0..MAX_METHODS {
            assert_ne!(methods.known(&format!("demo.Greeter/{n}")), OTHER);
        }
        assert_eq!(methods.known("demo.Greeter/More"), OTHER);
        assert_eq!(methods.known("demo.Greeter/7"), "demo.Greeter/7");
    }

    #[test]
    fn content_types_of_grpc_are_told_from_those_of_grpc_web() {
        for (kind, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
            assert_eq!(is_of(&headers), expected, "{kind}");
        }
        assert!(!is_of(&HeaderMap::new()));
    }

    #[test]
    fn a_status_that_makes_no_sense_is_unknown() {
        for (number, expected) in [
            ("0", OK),
            ("12", UNIMPLEMENTED),
            ("17", UNKNOWN),
            ("-", UNKNOWN),
        ] {
            let trailers = HeaderMap::from_iter([(STATUS.clone(), number.parse().unwrap())]);
            assert_eq!(status_in(&trailers), Some(expected), "{number}");
        }
        assert_eq!(status_in(&HeaderMap::new()), None);
    }
}
