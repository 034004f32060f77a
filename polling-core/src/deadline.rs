//! Deadlines that take no timer, and no room in a job's future for one, while nothing is waited for.

use std::{pin::pin, time::Duration};

use futures_util::future::poll_immediate;
use tokio::time::{Instant, error::Elapsed, timeout, timeout_at};

use crate::transport::{QueueError, QueueErrorKind, SharedQueue};

/// As [`timeout_at`], but asks for the deadline only if it has to wait.
pub(crate) async fn by<T>(
    deadline: impl FnOnce() -> Instant,
    call: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    let mut call = pin!(call);
    match poll_immediate(&mut call).await {
        Some(answer) => Ok(answer),
        None => Box::pin(timeout_at(deadline(), call)).await,
    }
}

/// What `call` answers within `limit`, a last bound for adapters that have none of their own; past
/// it the outcome is unknown.
pub(crate) async fn within<T>(
    limit: Duration,
    queue: &SharedQueue,
    operation: &'static str,
    call: impl Future<Output = Result<T, QueueError>>,
) -> Result<T, QueueError> {
    let mut call = pin!(call);
    let answered = match poll_immediate(&mut call).await {
        Some(answer) => Ok(answer),
        None => Box::pin(timeout(limit, call)).await,
    };
    answered.unwrap_or_else(|_| {
        Err(QueueError {
            queue: queue.name().to_owned(),
            operation,
            kind: QueueErrorKind::Timeout,
            source: None,
        })
    })
}
