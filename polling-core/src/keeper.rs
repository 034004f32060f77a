//! The heartbeat of a delivery.

use tokio::time::{Instant, sleep_until, timeout};

use crate::{
    caps,
    transport::{QueueErrorKind, Receipt, SharedQueue},
};

/// Keeps one message invisible until `end`, unless it is stopped before.
pub(crate) struct Keeper {
    pub(crate) queue: SharedQueue,
    pub(crate) receipt: Receipt,
    /// The message's id, for logs.
    pub(crate) message: String,
    pub(crate) end: Instant,
}

impl Keeper {
    pub(crate) async fn keep(self) {
        let visibility = self.queue.visibility_timeout();
        let period = visibility / caps::HEARTBEATS_PER_VISIBILITY;
        let mut beat = Instant::now() + period;
        while beat < self.end {
            sleep_until(beat).await;
            // Not beyond the end: what hangs is delivered again then, not a whole timeout later.
            let left = self.end.saturating_duration_since(Instant::now());
            let extending = self.queue.extend(&self.receipt, visibility.min(left));
            match timeout(period, extending).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) if error.kind == QueueErrorKind::StaleReceipt => {
                    tracing::warn!(
                        queue = self.queue.name(),
                        message = self.message,
                        "lost to another receiver"
                    );
                    return;
                }
                // Two more beats fit into the timeout.
                Ok(Err(error)) => {
                    tracing::warn!(queue = self.queue.name(), message = self.message, %error, "heartbeat failed");
                }
                Err(_) => {
                    tracing::warn!(
                        queue = self.queue.name(),
                        message = self.message,
                        "heartbeat had no answer"
                    );
                }
            }
            beat += period;
        }
        tracing::warn!(
            queue = self.queue.name(),
            message = self.message,
            "kept to its hard end: it will be delivered again"
        );
    }
}
