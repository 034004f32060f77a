//! The heartbeat of a delivery.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until, timeout};

use crate::{
    caps,
    model::KillPoint,
    transport::{Message, QueueError, QueueErrorKind, SharedQueue},
};

/// Keeps one message invisible until `end`, for `visibility` at a time, unless it is stopped
/// before.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    pub(crate) queue: SharedQueue,
    pub(crate) message: Arc<Message>,
    pub(crate) visibility: Duration,
    pub(crate) end: Instant,
}

impl Heartbeat {
    /// From now on.
    pub(crate) async fn keep(self) {
        let period = self.period();
        let mut beat = Instant::now();
        while beat < self.end {
            sleep_until(beat).await;
            match timeout(period, self.extend()).await {
                Ok(Ok(())) => {
                    KillPoint::WorkerExtended.hit();
                    beat += period;
                }
                Ok(Err(error)) if error.kind == QueueErrorKind::StaleReceipt => {
                    tracing::warn!(
                        queue = self.queue.name(),
                        message = self.message.id,
                        "lost to another receiver"
                    );
                    return;
                }
                failed => {
                    let error = failed.ok().and_then(Result::err);
                    tracing::warn!(
                        queue = self.queue.name(),
                        message = self.message.id,
                        error = error.map(tracing::field::display),
                        "heartbeat failed"
                    );
                    // Well before the visibility ends.
                    beat = Instant::now() + period / caps::HEARTBEATS_PER_VISIBILITY;
                }
            }
        }
        tracing::warn!(
            queue = self.queue.name(),
            message = self.message.id,
            "kept to its hard end: it will be delivered again"
        );
    }

    /// One extension at once. Whether it came to pass matters only to the next.
    pub(crate) async fn extend_in_time(&self) {
        if let Ok(Err(error)) = timeout(self.period(), self.extend()).await {
            tracing::debug!(
                queue = self.queue.name(),
                message = self.message.id,
                error = crate::model::chain(&error),
                "not extended"
            );
        }
    }

    pub(crate) fn period(&self) -> Duration {
        self.visibility / caps::HEARTBEATS_PER_VISIBILITY
    }

    /// Not beyond the end: what hangs is delivered again then, not a whole timeout later.
    async fn extend(&self) -> Result<(), QueueError> {
        let left = self.end.saturating_duration_since(Instant::now());
        let visibility = self.visibility.min(left);
        self.queue.extend(&self.message.receipt, visibility).await
    }
}
