//! A received message that stays ours while it is worked on.

use std::{fmt, mem, sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    time::{Instant, timeout},
};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::{
    caps,
    keeper::Keeper,
    model::KillPoint,
    transport::{Message, QueueError, SharedQueue},
};

/// A message with the queue it came from, kept invisible to others from receipt on.
///
/// Its visibility is renewed at a third of the queue's timeout by a task of its own, which goes on
/// while the job blocks its thread, up to a hard end. What happens to the message then:
///
/// | by | the message |
/// |---|---|
/// | [`ack`](Self::ack) | is deleted |
/// | [`leave`](Self::leave) | reappears after its visibility timeout |
/// | drop | is given back, visible at once |
/// | the hard end | reappears, though the job may still run |
pub struct Delivery {
    message: Message,
    queue: SharedQueue,
    /// `None` once it is settled what becomes of the message.
    keeper: Option<AbortOnDropHandle<()>>,
    releases: TaskTracker,
}

impl Delivery {
    /// Takes over `message`, which was received from `queue` just now, for `lifetime` at most.
    /// Call it within a Tokio runtime. Giving back is a task of `releases`: wait for them before
    /// the runtime ends.
    #[must_use]
    pub fn new(
        message: Message,
        queue: SharedQueue,
        lifetime: Duration,
        releases: TaskTracker,
    ) -> Self {
        let keeper = Keeper {
            queue: Arc::clone(&queue),
            receipt: message.receipt.clone(),
            message: message.id.clone(),
            end: Instant::now() + lifetime.min(caps::MAX_LIFETIME),
        };
        Self {
            message,
            queue,
            keeper: Some(AbortOnDropHandle::new(tokio::spawn(keeper.keep()))),
            releases,
        }
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The queue it came from.
    #[must_use]
    pub fn queue(&self) -> &SharedQueue {
        &self.queue
    }

    /// Deletes the message for good.
    ///
    /// # Errors
    ///
    /// The queue's; the message may then come back after its visibility timeout.
    pub async fn ack(mut self) -> Result<(), QueueError> {
        let acked = self.queue.ack(&self.message.receipt).await;
        // Only now: an acknowledgement that is cancelled half-way leaves nothing behind.
        self.keeper = None;
        acked
    }

    /// Leaves the message where it is; it reappears after what is left of its visibility timeout.
    pub fn leave(mut self) {
        self.keeper = None;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if self.keeper.take().is_none() {
            return;
        }
        // Without a runtime nothing can be called; the visibility timeout does the same, later.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let queue = Arc::clone(&self.queue);
        let receipt = self.message.receipt.clone();
        let id = mem::take(&mut self.message.id);
        let release = async move {
            let released = timeout(caps::RELEASE_TIMEOUT, queue.release(&receipt)).await;
            if !matches!(released, Ok(Ok(()))) {
                tracing::debug!(
                    queue = queue.name(),
                    message = id,
                    "could not be given back"
                );
            }
            KillPoint::WorkerGivenBack.hit();
        };
        self.releases.spawn_on(release, &runtime);
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("queue", &self.queue.name())
            .field("message", &self.message.id)
            .field("receive_count", &self.message.receive_count)
            .finish_non_exhaustive()
    }
}
