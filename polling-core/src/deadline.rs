//! A last bound on calls to queues, for adapters that have none of their own.

use std::time::Duration;

use tokio::time::timeout;

use crate::transport::{QueueError, QueueErrorKind, SharedQueue};

/// What `call` answers within `limit`; past it the outcome is unknown.
pub(crate) async fn within<T>(
    limit: Duration,
    queue: &SharedQueue,
    operation: &'static str,
    call: impl Future<Output = Result<T, QueueError>>,
) -> Result<T, QueueError> {
    let answered = timeout(limit, call).await;
    answered.unwrap_or_else(|_| {
        Err(QueueError {
            queue: queue.name().to_owned(),
            operation,
            kind: QueueErrorKind::Timeout,
            source: None,
        })
    })
}
