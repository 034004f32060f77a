//! The loop: permit, receive, call.

use std::{
    future::{Future, poll_fn, ready},
    pin::pin,
};

use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream::select_all,
};
use tokio::{
    task::{JoinError, JoinSet},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tower::Service;
use tracing::{Instrument, Span};

use super::{
    Pulse, Report, Stack, Worker, WorkerConfig,
    intake::{self, Batch, Terms, Turn},
    tuning::Permits,
};
use crate::{Delivery, Keeper, caps};

/// Runs `worker` until `shutdown` resolves.
pub(super) async fn run(worker: Worker, shutdown: impl Future<Output = ()>) -> Report {
    let span = tracing::info_span!("worker", identity = worker.identity);
    let Worker {
        config,
        queues,
        bus,
        generator,
        tally,
        pulse,
        stack,
        gate,
        tuner,
        ..
    } = worker;
    let pump = async move {
        let stop = CancellationToken::new();
        let (permits, keeping) = Permits::new(tuner.concurrency());
        // On its own, so that the loop below has nothing to do with it.
        let _keeping = AbortOnDropHandle::new(tokio::spawn(keeping));
        let terms = Terms {
            permits,
            gate,
            queues: queues.len(),
            wait: config.receive_wait,
            generator,
            stop: stop.clone(),
        };
        let batches = queues
            .into_iter()
            .map(|queue| intake::batches(queue, terms.clone()).boxed());
        // Polled in turns, so that no queue starves another.
        let mut batches = select_all(batches);
        let mut jobs = Jobs::new(stack, pulse, &config);
        let mut shutdown = pin!(shutdown);
        tracing::info!(?config, "started");
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = jobs.running.join_next() => jobs.clear_away(ended),
                Some(batch) = batches.next() => jobs.start(batch).await,
            }
        }
        stop.cancel();
        let keeper = jobs.keeper.clone();
        let last = batches.for_each(|batch| {
            give_back(batch, &keeper);
            ready(())
        });
        tracing::info!(jobs = jobs.running.len(), grace = ?config.shutdown_grace, "shutting down");
        let (received, given_back) = jobs.finish(&config, last).await;
        let flushed = bus.flush(caps::FLUSH_TIMEOUT).await;
        if let Err(error) = &flushed {
            tracing::error!(
                error = crate::model::chain(error),
                "bus not flushed: events may be undelivered, their jobs are not completed"
            );
        }
        let report = tally.report(received, given_back, flushed.is_ok());
        tracing::info!(?report, "stopped");
        report
    };
    pump.instrument(span).await
}

/// The jobs under way.
struct Jobs {
    stack: Stack,
    pulse: Pulse,
    running: JoinSet<()>,
    keeper: Keeper,
    lifetime: std::time::Duration,
    received: u64,
}

impl Jobs {
    fn new(stack: Stack, pulse: Pulse, config: &WorkerConfig) -> Self {
        Self {
            stack,
            pulse,
            running: JoinSet::new(),
            keeper: Keeper::new(),
            lifetime: config.max_lifetime,
            received: 0,
        }
    }

    /// Starts a task for each message of `batch`, with a permit of its own.
    async fn start(&mut self, batch: Batch) {
        let Batch {
            queue,
            messages,
            mut turn,
        } = batch;
        // All of them first, so that their visibility is kept from now on.
        let mut deliveries: Vec<_> = messages
            .into_iter()
            .map(|message| {
                let keeper = self.keeper.clone();
                Delivery::new(message, queue.clone(), self.lifetime, keeper)
            })
            .collect();
        let suspects = deliveries.iter_mut().filter(|one| one.is_suspect());
        // Before the first of them has its turn and may end the process.
        join_all(suspects.map(Delivery::leash)).await;
        for delivery in deliveries {
            self.received += 1;
            // A queue that returned more than it was asked for gets its surplus back.
            let Some(turn) = turn.split() else {
                drop(delivery);
                continue;
            };
            self.start_one(delivery, turn).await;
        }
    }

    async fn start_one(&mut self, delivery: Delivery, turn: Turn) {
        // The SDK's layers are always ready, so this neither waits nor holds anything.
        if let Err(error) = poll_fn(|cx| self.stack.poll_ready(cx)).await {
            tracing::error!(error, "the stack is broken; message given back");
            return;
        }
        let working = self.stack.call(delivery);
        let job = async move {
            // What went wrong is logged where it is known which job it was.
            let _ = working.await;
            turn.ended();
        };
        self.pulse.began();
        self.running.spawn(job.instrument(Span::current()));
    }

    /// With `ended`, all that have ended by now.
    fn clear_away(&mut self, ended: Result<(), JoinError>) {
        log_panic(ended);
        while let Some(ended) = self.running.try_join_next() {
            log_panic(ended);
        }
        self.pulse.ended(self.running.len());
    }

    /// Lets jobs and the last receives finish within the grace, and drops the rest, which gives
    /// their messages back. Returns how many messages were received and how many jobs were dropped.
    async fn finish(mut self, config: &WorkerConfig, last: impl Future<Output = ()>) -> (u64, u64) {
        let draining = async {
            while let Some(ended) = self.running.join_next().await {
                log_panic(ended);
            }
        };
        let _ = timeout(config.shutdown_grace, join(draining, last)).await;
        let given_back = self.running.len() as u64;
        self.running.abort_all();
        // A job that blocks its thread cannot be dropped; it must not hold up the others.
        let dropped = async { while self.running.join_next().await.is_some() {} };
        let _ = timeout(caps::RELEASE_TIMEOUT, dropped).await;
        let _ = timeout(caps::RELEASE_TIMEOUT, self.keeper.released()).await;
        (self.received, given_back)
    }
}

/// Messages that came too late to be polled.
fn give_back(batch: Batch, keeper: &Keeper) {
    for message in batch.messages {
        let (queue, keeper) = (batch.queue.clone(), keeper.clone());
        let delivery = Delivery::new(message, queue, caps::RELEASE_TIMEOUT, keeper);
        drop(delivery);
    }
}

/// The poll's panics are caught further in; one that reaches this far is the SDK's own.
fn log_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a job's task failed");
    }
}
