//! What errors of the client mean for a connection.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// The error code and the words after it, of an error that the server gave.
pub fn server_error(error: &RedisError) -> Option<(&str, &str)> {
    Some((error.code()?, error.detail().unwrap_or_default()))
}

pub(super) fn is_moved(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::Moved)
}

/// A connection that did not answer may never answer; one to a server that became a replica, or was
/// cut off from its cluster, leads to the wrong place.
pub(super) fn ends_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_timeout()
        || error.is_io_error()
        || matches!(
            error.kind(),
            ErrorKind::Server(
                ServerErrorKind::ReadOnly
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::ClusterDown
            )
        )
}
