//! What the client's errors mean for a queue.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::{
    link::{Link, server_error},
    scripts::Step,
};
use crate::{fault::Fault, queue::QueueErrorKind};

/// A step that failed, and where.
#[derive(Debug, thiserror::Error)]
#[error("{step} at {address}")]
struct Attempt {
    step: &'static str,
    address: String,
    source: RedisError,
}

/// The server may throw keys away.
#[derive(Debug, thiserror::Error)]
#[error(
    "the server at {address} has maxmemory-policy {policy}: once full it would throw queues away; set noeviction"
)]
struct Evicts {
    address: String,
    policy: String,
}

/// The failure of a step.
pub(super) fn fault(step: &Step, link: &Link, error: RedisError) -> Fault {
    let address = link.address().to_owned();
    if let Some(("EVICTS", policy)) = server_error(&error) {
        let policy = policy.to_owned();
        return Fault::new(QueueErrorKind::Other, Evicts { address, policy });
    }
    let kind = kind_of(&error);
    let step = step.name;
    let attempt = Attempt {
        step,
        address,
        source: error,
    };
    Fault::new(kind, attempt)
}

fn kind_of(error: &RedisError) -> QueueErrorKind {
    if error.is_timeout() {
        return QueueErrorKind::Timeout;
    }
    if let ErrorKind::AuthenticationFailed = error.kind() {
        return QueueErrorKind::Denied;
    }
    if let ErrorKind::Server(ServerErrorKind::Ask) = error.kind() {
        return QueueErrorKind::Unavailable;
    }
    match error.code().map(|code| kind_of_code(code, error)) {
        Some(kind) => kind,
        None if error.is_io_error() || error.is_connection_dropped() => QueueErrorKind::Unreachable,
        None if error.is_connection_refusal() => QueueErrorKind::Unreachable,
        None => QueueErrorKind::Other,
    }
}

fn kind_of_code(code: &str, error: &RedisError) -> QueueErrorKind {
    match code {
        "NOQUEUE" | "NOGROUP" => QueueErrorKind::NoSuchQueue,
        "NOAUTH" | "NOPERM" | "WRONGPASS" => QueueErrorKind::Denied,
        // Writes are refused, or nothing is answered, until something changes.
        "ASK" | "BUSY" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "MISCONF" | "MOVED"
        | "NOREPLICAS" | "OOM" | "READONLY" | "TRYAGAIN" | "UNBLOCKED" => {
            QueueErrorKind::Unavailable
        }
        // While a cluster's slot moves, what a script needs may have left.
        _ if error
            .detail()
            .is_some_and(|words| words.contains("non local key")) =>
        {
            QueueErrorKind::Unavailable
        }
        _ => QueueErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of_reply(reply: &str) -> QueueErrorKind {
        let value = redis::parse_redis_value(format!("-{reply}\r\n").as_bytes()).unwrap();
        kind_of(&value.extract_error().unwrap_err())
    }

    #[test]
    fn what_a_server_says_has_its_kind() {
        use QueueErrorKind::{Denied, NoSuchQueue, Other, Unavailable};
        for (reply, kind) in [
            ("NOQUEUE polling:{x}:queue:jobs does not exist", NoSuchQueue),
            ("NOGROUP No such key", NoSuchQueue),
            ("NOAUTH Authentication required.", Denied),
            ("NOPERM this user has no permissions", Denied),
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                Unavailable,
            ),
            (
                "READONLY You can't write against a read only replica.",
                Unavailable,
            ),
            (
                "MISCONF Redis is configured to save RDB snapshots",
                Unavailable,
            ),
            (
                "LOADING Redis is loading the dataset in memory",
                Unavailable,
            ),
            ("ASK 1 127.0.0.1:2", Unavailable),
            (
                "TRYAGAIN Multiple keys request during rehashing",
                Unavailable,
            ),
            (
                "ERR Script attempted to access a non local key in a cluster node",
                Unavailable,
            ),
            ("WRONGTYPE Operation against a key", Other),
        ] {
            assert_eq!(kind_of_reply(reply), kind, "{reply}");
        }
    }

    #[test]
    fn a_connection_that_fails_is_no_server() {
        let io = |kind| kind_of(&std::io::Error::from(kind).into());
        assert_eq!(io(std::io::ErrorKind::TimedOut), QueueErrorKind::Timeout);
        assert_eq!(
            io(std::io::ErrorKind::ConnectionRefused),
            QueueErrorKind::Unreachable
        );
        assert_eq!(
            io(std::io::ErrorKind::BrokenPipe),
            QueueErrorKind::Unreachable
        );
    }
}
