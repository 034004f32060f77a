//! A received message that stays ours while it is worked on.

use std::{fmt, mem, sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    time::{Instant, timeout},
};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::{
    caps,
    deadline::within,
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
///
/// One that was delivered before may have to wait for its turn; until then it is kept for
/// [`caps::SUSPECT_LEASH`] at a time.
pub struct Delivery {
    message: Message,
    queue: SharedQueue,
    /// `None` once it is settled what becomes of the message.
    keeper: Option<AbortOnDropHandle<()>>,
    /// The hard end.
    end: Instant,
    leashed: bool,
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
        let mut delivery = Self {
            message,
            queue,
            keeper: None,
            end: Instant::now() + lifetime.min(caps::MAX_LIFETIME),
            leashed: false,
            releases,
        };
        let visibility = delivery.queue.visibility_timeout();
        let keeper = delivery.keeper(visibility);
        delivery.keep(keeper, visibility / caps::HEARTBEATS_PER_VISIBILITY);
        delivery
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

    /// Whether it was delivered before, so that its process may have died of it.
    pub(crate) fn is_suspect(&self) -> bool {
        self.message.receive_count >= caps::SUSPECT_RECEIVES
    }

    /// Keeps the message for a moment at a time, while it waits for its turn.
    pub(crate) async fn leash(&mut self) {
        let visibility = caps::SUSPECT_LEASH.min(self.queue.visibility_timeout() / 2);
        self.leashed = true;
        self.change_to(visibility).await;
    }

    /// Keeps it as any other from now on.
    pub(crate) async fn unleash(&mut self) {
        if mem::take(&mut self.leashed) {
            self.change_to(self.queue.visibility_timeout()).await;
        }
    }

    async fn change_to(&mut self, visibility: Duration) {
        if let Some(keeper) = &self.keeper {
            keeper.abort();
        }
        let keeper = self.keeper(visibility);
        // An error is no reason not to go on: the heartbeats repeat it.
        keeper.extend_in_time().await;
        // Soon, should the heartbeat just stopped arrive after this and undo it.
        let soon = caps::SUSPECT_LEASH.min(visibility) / caps::HEARTBEATS_PER_VISIBILITY;
        self.keep(keeper, soon);
    }

    fn keeper(&self, visibility: Duration) -> Keeper {
        Keeper {
            queue: Arc::clone(&self.queue),
            receipt: self.message.receipt.clone(),
            message: self.message.id.clone(),
            visibility,
            end: self.end,
        }
    }

    fn keep(&mut self, keeper: Keeper, first_beat: Duration) {
        let keeping = tokio::spawn(keeper.keep(first_beat));
        self.keeper = Some(AbortOnDropHandle::new(keeping));
    }

    /// Deletes the message for good.
    ///
    /// # Errors
    ///
    /// The queue's; the message may then come back after its visibility timeout.
    pub async fn ack(mut self) -> Result<(), QueueError> {
        let acking = self.queue.ack(&self.message.receipt);
        let acked = within(caps::QUEUE_TIMEOUT, &self.queue, "ack", acking).await;
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
