//! Errors of Redis in few words.

use redis::{ErrorKind, RedisError, RedisResult, Value};

/// What servers begin their errors with, and the word for it.
const CODES: [(&str, &str); 25] = [
    ("ASK", "ask"),
    ("BUSY", "busy"),
    ("BUSYGROUP", "busygroup"),
    ("CLUSTERDOWN", "clusterdown"),
    ("CROSSSLOT", "crossslot"),
    ("DENIED", "denied"),
    ("ERR", "err"),
    ("EXECABORT", "execabort"),
    ("LOADING", "loading"),
    ("MASTERDOWN", "masterdown"),
    ("MISCONF", "misconf"),
    ("MOVED", "moved"),
    ("NOAUTH", "noauth"),
    ("NOGROUP", "nogroup"),
    ("NOPERM", "noperm"),
    ("NOREPLICAS", "noreplicas"),
    ("NOSCRIPT", "noscript"),
    ("NOTBUSY", "notbusy"),
    ("OOM", "oom"),
    ("READONLY", "readonly"),
    ("TRYAGAIN", "tryagain"),
    ("UNBLOCKED", "unblocked"),
    ("UNKILLABLE", "unkillable"),
    ("WRONGPASS", "wrongpass"),
    ("WRONGTYPE", "wrongtype"),
];

pub(super) fn of_value(answer: &RedisResult<Value>) -> Option<&'static str> {
    match answer {
        Ok(value) => within(value),
        Err(error) => Some(word(error)),
    }
}

pub(super) fn of_values(answers: &RedisResult<Vec<Value>>) -> Option<&'static str> {
    match answers {
        Ok(values) => values.iter().find_map(within),
        Err(error) => Some(word(error)),
    }
}

/// An error that came as an answer, or within one: a transaction is answered by an array of them.
fn within(value: &Value) -> Option<&'static str> {
    match value {
        Value::ServerError(error) => Some(of_code(error.code())),
        Value::Array(values) => values.iter().find_map(|value| match value {
            Value::ServerError(error) => Some(of_code(error.code())),
            _ => None,
        }),
        _ => None,
    }
}

fn word(error: &RedisError) -> &'static str {
    if error.is_timeout() {
        return "timeout";
    }
    match (error.kind(), error.code()) {
        (_, Some(code)) => of_code(code),
        (ErrorKind::Io, None) => "connection",
        (ErrorKind::AuthenticationFailed, None) => "noauth",
        (ErrorKind::Parse, None) => "parse",
        _ => "client",
    }
}

fn of_code(code: &str) -> &'static str {
    match CODES.binary_search_by(|(known, _)| known.cmp(&code)) {
        Ok(at) => CODES[at].1,
        Err(_) => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_word_and_others_share_one() {
        for (code, word) in CODES {
            assert_eq!(
                (of_code(code), code.to_ascii_lowercase()),
                (word, word.to_owned())
            );
        }
        assert_eq!(of_code("42"), "other");
    }
}
