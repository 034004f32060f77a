//! Messages of one work queue, no more than there are free permits.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Generator,
    backoff::Backoff,
    caps,
    deadline::within,
    publish::Gate,
    transport::{Message, SharedQueue},
};

/// What one receive brought, with a permit for each message.
pub(super) struct Batch {
    pub(super) queue: SharedQueue,
    pub(super) messages: Vec<Message>,
    pub(super) permits: OwnedSemaphorePermit,
}

/// What the queues of one worker share.
#[derive(Clone)]
pub(super) struct Terms {
    /// A job needs one.
    pub(super) permits: Arc<Semaphore>,
    /// Open while the bus takes events.
    pub(super) gate: Gate,
    /// How long a receive waits for a message.
    pub(super) wait: Duration,
    pub(super) generator: Generator,
    /// No receive begins once this is cancelled.
    pub(super) stop: CancellationToken,
}

struct Intake {
    queue: SharedQueue,
    terms: Terms,
    backoff: Backoff,
    /// After a receive that failed.
    pause: Duration,
    /// Whether the last receive brought something.
    busy: bool,
}

/// The queue's messages, until told to stop. It receives only with permits in hand, so that nothing
/// expires while it waits for its turn, and only while the bus takes events.
///
/// A receive under way is never dropped: what the queue gave to one that nobody waits for would come
/// back only after its visibility timeout.
///
/// The semaphore is fair, so queues take turns when permits are few. A queue that was empty is
/// asked with one permit, so that a long wait on it costs the others no more than that; one that
/// was not is asked with as many as are free, and with a short wait.
pub(super) fn batches(queue: SharedQueue, terms: Terms) -> impl Stream<Item = Batch> + Send {
    let intake = Intake {
        queue,
        backoff: Backoff::new(terms.generator.clone(), caps::RECEIVE_BACKOFF),
        terms,
        pause: Duration::ZERO,
        busy: false,
    };
    stream::unfold(intake, |mut intake| async move {
        let batch = intake.next().await?;
        Some((batch, intake))
    })
}

impl Intake {
    /// `None` once told to stop.
    async fn next(&mut self) -> Option<Batch> {
        let stop = self.terms.stop.clone();
        loop {
            let permits = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                permits = self.turn() => permits,
            };
            if let Some(batch) = self.receive(permits).await {
                return Some(batch);
            }
        }
    }

    /// Until a receive may begin: the permits for it.
    async fn turn(&mut self) -> OwnedSemaphorePermit {
        sleep(self.pause).await;
        self.terms.gate.opened(&self.terms.generator).await;
        self.acquire().await
    }

    async fn receive(&mut self, permits: OwnedSemaphorePermit) -> Option<Batch> {
        let wait = if permits.num_permits() > 1 {
            self.terms.wait.min(caps::GREEDY_RECEIVE_WAIT)
        } else {
            self.terms.wait
        };
        let receiving = self.queue.receive(permits.num_permits(), wait);
        let limit = caps::QUEUE_TIMEOUT + wait;
        match within(limit, &self.queue, "receive", receiving).await {
            Ok(messages) => {
                self.backoff.reset();
                self.pause = Duration::ZERO;
                self.busy = !messages.is_empty();
                self.busy.then(|| Batch {
                    queue: self.queue.clone(),
                    messages,
                    permits,
                })
            }
            Err(error) => {
                self.pause = self.backoff.next();
                tracing::warn!(
                    queue = self.queue.name(),
                    error = crate::model::chain(&error),
                    pause = ?self.pause,
                    "receive failed"
                );
                None
            }
        }
    }

    /// One permit, and as many more as are free and one receive may use.
    async fn acquire(&self) -> OwnedSemaphorePermit {
        let one = Arc::clone(&self.terms.permits).acquire_owned().await;
        let mut permits = one.expect("the semaphore is never closed");
        while self.busy && permits.num_permits() < caps::RECEIVE_BATCH {
            let Ok(more) = Arc::clone(&self.terms.permits).try_acquire_owned() else {
                break;
            };
            permits.merge(more);
        }
        permits
    }
}
