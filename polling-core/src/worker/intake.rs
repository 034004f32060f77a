//! Messages of one work queue, no more than there are free permits.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

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

struct Intake {
    queue: SharedQueue,
    permits: Arc<Semaphore>,
    gate: Gate,
    wait: Duration,
    generator: Generator,
    backoff: Backoff,
    /// Whether the last receive brought something.
    busy: bool,
}

/// The queue's messages, for ever. It receives only with permits in hand, so that nothing expires
/// while it waits for its turn, and only while the bus takes events.
///
/// The semaphore is fair, so queues take turns when permits are few. A queue that was empty is
/// asked with one permit, so that a long wait on it costs the others no more than that; one that
/// was not is asked with as many as are free, and with a short wait.
pub(super) fn batches(
    queue: SharedQueue,
    permits: Arc<Semaphore>,
    gate: Gate,
    wait: Duration,
    generator: Generator,
) -> impl Stream<Item = Batch> + Send {
    let intake = Intake {
        queue,
        permits,
        gate,
        wait,
        backoff: Backoff::new(generator.clone(), caps::RECEIVE_BACKOFF),
        generator,
        busy: false,
    };
    stream::unfold(intake, |mut intake| async move {
        let batch = intake.next().await?;
        Some((batch, intake))
    })
}

impl Intake {
    /// `None` when the worker is closed.
    async fn next(&mut self) -> Option<Batch> {
        loop {
            self.gate.opened(&self.generator).await;
            let permits = self.acquire().await?;
            let wait = if permits.num_permits() > 1 {
                self.wait.min(caps::GREEDY_RECEIVE_WAIT)
            } else {
                self.wait
            };
            let receiving = self.queue.receive(permits.num_permits(), wait);
            let limit = caps::QUEUE_TIMEOUT + wait;
            match within(limit, &self.queue, "receive", receiving).await {
                Ok(messages) if messages.is_empty() => {
                    self.backoff.reset();
                    self.busy = false;
                }
                Ok(messages) => {
                    self.backoff.reset();
                    self.busy = true;
                    return Some(Batch {
                        queue: self.queue.clone(),
                        messages,
                        permits,
                    });
                }
                Err(error) => {
                    drop(permits);
                    let pause = self.backoff.next();
                    tracing::warn!(
                        queue = self.queue.name(),
                        error = crate::model::chain(&error),
                        ?pause,
                        "receive failed"
                    );
                    sleep(pause).await;
                }
            }
        }
    }

    /// One permit, and as many more as are free and one receive may use.
    async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        let mut permits = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        while self.busy && permits.num_permits() < caps::RECEIVE_BATCH {
            let Ok(more) = Arc::clone(&self.permits).try_acquire_owned() else {
                break;
            };
            permits.merge(more);
        }
        Some(permits)
    }
}
