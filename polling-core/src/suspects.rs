//! What was delivered before takes turns: one of it may have ended the process that polled it.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{Delivery, caps};

/// Turns for messages that were delivered before.
///
/// A payload that kills its process does so again and again, and each time the messages under way
/// beside it are received once more in vain: they would follow it to the dead-letter queue. So what
/// was delivered before is polled one at a time. Those that wait are kept invisible for a moment
/// only: if the one whose turn it is kills the process, they are back before it, and done by
/// the time it returns. That takes three receives: in company, in turns, and without it.
#[derive(Debug, Clone)]
pub(crate) struct Suspects {
    turn: Arc<Semaphore>,
}

impl Suspects {
    pub(crate) fn new() -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// Waits for the message's turn, which lasts as long as the permit. Without one it goes on at
    /// once: it was not delivered before, or others took so long that it waits no more.
    pub(crate) async fn turn(&self, delivery: &mut Delivery) -> Option<OwnedSemaphorePermit> {
        if !delivery.is_suspect() {
            return None;
        }
        // Hardly any has to wait: no job's future has room for it.
        Box::pin(self.wait(delivery)).await
    }

    async fn wait(&self, delivery: &mut Delivery) -> Option<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.turn).acquire_owned();
        let turn = timeout(caps::SUSPECT_WAIT, turn).await;
        delivery.unleash().await;
        turn.ok()?.ok()
    }
}
