//! A received message that stays ours while it is worked on.

use std::{fmt, mem, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use crate::{
    caps,
    deadline::within,
    heartbeat::Heartbeat,
    keeper::{Keeper, Kept},
    model::KillPoint,
    transport::{Message, QueueError, SharedQueue},
};

/// A message with the queue it came from, kept invisible to others from receipt on.
///
/// Its visibility is renewed at a third of the queue's timeout by its [`Keeper`], which goes on
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
    message: Arc<Message>,
    queue: SharedQueue,
    keeper: Keeper,
    kept: Option<Kept>,
    /// What becomes of the message.
    settled: bool,
    /// The hard end.
    end: Instant,
    leashed: bool,
}

impl Delivery {
    /// Takes over `message`, which was received from `queue` just now, for `lifetime` at most.
    /// Call it within a Tokio runtime.
    #[must_use]
    pub fn new(message: Message, queue: SharedQueue, lifetime: Duration, keeper: Keeper) -> Self {
        let now = Instant::now();
        let mut delivery = Self {
            message: Arc::new(message),
            queue,
            keeper,
            kept: None,
            settled: false,
            end: now + lifetime.min(caps::MAX_LIFETIME),
            leashed: false,
        };
        let heartbeat = delivery.heartbeat(delivery.queue.visibility_timeout());
        let first_beat = now + heartbeat.period();
        delivery.kept = Some(delivery.keeper.keep(heartbeat, first_beat));
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
        self.kept = None;
        let heartbeat = self.heartbeat(visibility);
        // An error is no reason not to go on: the heartbeats repeat it.
        heartbeat.extend_in_time().await;
        // Soon, should the heartbeat just stopped arrive after this and undo it.
        let soon = caps::SUSPECT_LEASH.min(visibility) / caps::HEARTBEATS_PER_VISIBILITY;
        let first_beat = Instant::now() + soon;
        self.kept = Some(self.keeper.keep(heartbeat, first_beat));
    }

    fn heartbeat(&self, visibility: Duration) -> Heartbeat {
        Heartbeat {
            queue: Arc::clone(&self.queue),
            message: Arc::clone(&self.message),
            visibility,
            end: self.end,
        }
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
        self.settled = true;
        acked
    }

    /// Leaves the message where it is; it reappears after what is left of its visibility timeout.
    pub fn leave(mut self) {
        self.settled = true;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.kept = None;
        if self.settled {
            return;
        }
        let (queue, message) = (Arc::clone(&self.queue), Arc::clone(&self.message));
        self.keeper.release(async move {
            let released = timeout(caps::RELEASE_TIMEOUT, queue.release(&message.receipt)).await;
            if !matches!(released, Ok(Ok(()))) {
                tracing::debug!(
                    queue = queue.name(),
                    message = message.id,
                    "could not be given back"
                );
            }
            KillPoint::WorkerGivenBack.hit();
        });
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
