//! What is wrong with a server or a setting, and how to mend it.

use std::{error::Error, fmt};

use polling_model::chain;
use polling_transport::{QueueError, QueueErrorKind};
use redis::{ErrorKind, RedisError};
use scheduler_lib::StoreError;
use serde::Serialize;

/// Something that is wrong, or hardly wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What, and where.
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

/// What is wrong, without the mend.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Finding {
    pub(crate) fn new(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            mend: mend.into(),
        }
    }

    /// A setting that may be meant.
    pub(super) fn doubt(what: String) -> Self {
        Self::new(
            what,
            "change it in the configuration and start again, unless it is meant",
        )
    }
}

impl From<&StoreError> for Finding {
    fn from(error: &StoreError) -> Self {
        let mend = match error {
            StoreError::Unavailable { address, source, .. } => unavailable(address, &**source),
            StoreError::ReadOnly { detail, .. } => refused(detail).to_owned(),
            StoreError::Forbidden { detail, .. } if is_stranger(detail) => CREDENTIALS.to_owned(),
            StoreError::Forbidden { .. } => {
                "grant the Redis user what `ACL LOG` on that server names".to_owned()
            }
            StoreError::ClockSkew { .. } => CLOCKS.to_owned(),
            StoreError::Layout(_) => {
                "put back the settings with which the store was created; to change them, move its jobs with `scheduler export` and `scheduler import`"
                    .to_owned()
            }
            StoreError::Wiped { .. } => {
                "restore the store from its backup, or point redis at the right database; to start anew on purpose, take an empty one and register again"
                    .to_owned()
            }
            StoreError::Evicts { .. } => NO_EVICTION.to_owned(),
            _ => "see the log of the store's server".to_owned(),
        };
        Self::new(chain(error), mend)
    }
}

/// By what the client saw of a Redis that did not do its step.
fn unavailable(address: &str, source: &(dyn Error + 'static)) -> String {
    let error = source.downcast_ref::<RedisError>();
    if error.is_some_and(|error| error.kind() == ErrorKind::AuthenticationFailed) {
        return CREDENTIALS.to_owned();
    }
    match error.and_then(RedisError::code) {
        Some(code) if is_stranger(code) => CREDENTIALS.to_owned(),
        Some("CLUSTERDOWN") => format!(
            "a hash slot of the cluster has no node: `redis-cli --cluster fix {address}` gives it one, once the nodes that are missing are back or given up"
        ),
        _ => format!(
            "start the Redis at {address} and open the way to it, or correct the channel's redis address"
        ),
    }
}

/// Whether a Redis does not know who asks, by the code with which it says so.
fn is_stranger(detail: &str) -> bool {
    detail.starts_with("NOAUTH") || detail.starts_with("WRONGPASS")
}

/// For a Redis that wants another password.
const CREDENTIALS: &str = "put the right user and password into the channel's redis address, redis://USER:PASSWORD@host:port/0, or give the server's user that password: `redis-cli ACL SETUSER`";

/// By the code with which a Redis refuses writes.
fn refused(detail: &str) -> &'static str {
    match detail.split(' ').next() {
        Some("OOM") => "raise its maxmemory, or free memory",
        Some("MISCONF") => "make room on its disk, then `redis-cli BGSAVE`",
        Some("READONLY") => "point the channel's redis address at the primary",
        Some("NOREPLICAS") => "bring its replicas back, or lower min-replicas-to-write",
        _ => "see its log",
    }
}

/// For a server that may throw keys away.
pub(super) const NO_EVICTION: &str =
    "`redis-cli CONFIG SET maxmemory-policy noeviction`, and the same in its configuration file";

/// For clocks that differ.
pub(super) const CLOCKS: &str =
    "let NTP set the clocks of both machines (chrony, systemd-timesyncd), and see that it does";

impl From<&QueueError> for Finding {
    fn from(error: &QueueError) -> Self {
        let mend = match error.kind {
            QueueErrorKind::Timeout | QueueErrorKind::Unreachable => {
                "start the queues' server and open the way to it, or correct its address: sqs.endpoint or AWS_ENDPOINT_URL_SQS for SQS, queues.redis or redis of the channel for Redis"
            }
            QueueErrorKind::NoSuchQueue => {
                "create it with `scheduler create-queues`, or correct its name under queues of the channel"
            }
            QueueErrorKind::Denied => {
                "check region and credentials, and allow the scheduler's role GetQueueUrl, GetQueueAttributes, ReceiveMessage, DeleteMessage, ChangeMessageVisibility and SendMessage on it; on a Redis, correct user and password, and grant what `ACL LOG` there names"
            }
            QueueErrorKind::Conflict => {
                "change the queue's settings to the configuration's, or the other way round"
            }
            _ => "try again; if it lasts, see the log of the queues' server",
        };
        Self::new(chain(error), mend)
    }
}
