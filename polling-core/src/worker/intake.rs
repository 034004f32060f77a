//! Messages of one work queue, no more than there are free permits.

use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::{sync::OwnedSemaphorePermit, task::yield_now, time::sleep};
use tokio_util::sync::CancellationToken;

use super::tuning::Permits;
use crate::{
    Generator,
    backoff::Backoff,
    caps,
    deadline::within,
    publish::{Gate, Trial},
    transport::{Message, SharedQueue},
};

/// What one receive brought.
pub(super) struct Batch {
    pub(super) queue: SharedQueue,
    pub(super) messages: Vec<Message>,
    pub(super) turn: Turn,
}

/// The right to receive and run jobs.
pub(super) struct Turn {
    /// One for each job.
    permits: OwnedSemaphorePermit,
    /// There is only one job then.
    trial: Option<Trial>,
}

impl Turn {
    /// What one of the jobs needs; `None` if there is nothing left.
    pub(super) fn split(&mut self) -> Option<Self> {
        let permits = self.permits.split(1)?;
        let trial = self.trial.take();
        Some(Self { permits, trial })
    }

    /// The job ended.
    pub(super) fn ended(self) {
        if let Some(trial) = self.trial {
            trial.ended();
        }
    }
}

/// What the queues of one worker share.
#[derive(Clone)]
pub(super) struct Terms {
    /// A job needs one.
    pub(super) permits: Permits,
    /// Open while the bus takes events.
    pub(super) gate: Gate,
    /// Which have the permits among them.
    pub(super) queues: usize,
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
    /// While the bus is away.
    bus_backoff: Backoff,
    /// Whether the last receive brought something.
    busy: bool,
}

/// The queue's messages, until told to stop. It receives only with permits in hand, so that nothing
/// expires while it waits for its turn, and only while the bus takes events.
///
/// A receive under way is never dropped: what the queue gave to one that nobody waits for would
/// come back only after its visibility timeout.
///
/// The semaphore is fair, so queues take turns when permits are few. A queue that was empty is
/// asked with one permit, so that a long wait on it costs the others no more than that; one that
/// was not is asked with as many as are free, and with a short wait.
pub(super) fn batches(queue: SharedQueue, terms: Terms) -> impl Stream<Item = Batch> + Send {
    let backoff = || Backoff::new(terms.generator.clone(), caps::RECEIVE_BACKOFF);
    let intake = Intake {
        queue,
        backoff: backoff(),
        bus_backoff: backoff(),
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
            let turn = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                turn = self.turn() => turn,
            };
            if let Some(batch) = self.receive(turn).await {
                return Some(batch);
            }
        }
    }

    /// Until a receive may begin. The gate comes last: it may have closed while every permit was
    /// in use.
    async fn turn(&mut self) -> Turn {
        // Even a sleep of no time lasts until the timer's next millisecond.
        if !self.pause.is_zero() {
            sleep(self.pause).await;
        }
        let mut permits = self.terms.permits.one().await;
        let trial = self.terms.gate.pass(&mut self.bus_backoff).await;
        if self.busy && trial.is_none() {
            // The first permit that is free wakes it before other jobs that are about to end.
            yield_now().await;
            self.take_more(&mut permits);
        }
        Turn { permits, trial }
    }

    async fn receive(&mut self, turn: Turn) -> Option<Batch> {
        let permits = &turn.permits;
        let others_wait = permits.num_permits() > 1 || turn.trial.is_some();
        let wait = if others_wait {
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
                    turn,
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

    /// As many as are free and one receive may use.
    fn take_more(&self, permits: &mut OwnedSemaphorePermit) {
        // What one queue takes is not to hold up the others.
        let share = self.terms.permits.bound() / self.terms.queues;
        let share = share.clamp(1, caps::RECEIVE_BATCH);
        // Another queue may have been faster; this one goes on with the permit that it has.
        let more = share.saturating_sub(permits.num_permits());
        if let Ok(more) = self.terms.permits.free(more) {
            permits.merge(more);
        }
    }
}
