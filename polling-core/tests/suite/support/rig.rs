use std::{sync::Arc, time::Duration};

use polling_core::{
    Completion, Generator, Queue, Report, SharedClock, Worker, WorkerBuilder,
    model::wire,
    transport::memory::{MemoryBus, MemoryQueue},
};

use super::{Log, RecordingQueue, body, clock};

/// Everything around a worker.
pub(crate) struct Rig {
    pub(crate) clock: SharedClock,
    pub(crate) log: Log,
    pub(crate) work: Arc<RecordingQueue>,
    pub(crate) completed: Arc<RecordingQueue>,
    pub(crate) dead: Arc<MemoryQueue>,
    pub(crate) bus: MemoryBus,
}

/// The visibility timeout of the rig's queues.
pub(crate) const VISIBILITY: Duration = Duration::from_secs(30);

impl Rig {
    pub(crate) fn new() -> Self {
        let (clock, log) = (clock(), Log::default());
        let dead = MemoryQueue::builder("dead", clock.clone()).build();
        let work = MemoryQueue::builder("work", clock.clone())
            .visibility_timeout(VISIBILITY)
            .dead_letter(dead.clone(), 3)
            .build();
        let completed = MemoryQueue::builder("completed", clock.clone()).build();
        Self {
            work: RecordingQueue::new(work, &log),
            completed: RecordingQueue::new(completed, &log),
            dead,
            bus: MemoryBus::new(),
            clock,
            log,
        }
    }

    /// A builder that lacks the poller only.
    pub(crate) fn worker(&self) -> WorkerBuilder {
        Worker::builder()
            .work(self.work.clone())
            .completed(self.completed.clone())
            .bus(Arc::new(self.bus.clone()))
            .clock(self.clock.clone())
            .observer(self.log.observer())
            .generator(Generator::from_seed(7))
    }

    pub(crate) async fn send(&self, accounts: impl IntoIterator<Item = usize>) {
        let bodies = accounts.into_iter().map(|n| body(&n.to_string())).collect();
        for sent in self.work.inner.send(bodies).await {
            sent.unwrap();
        }
    }

    /// Runs `worker` for `time`, and its shutdown.
    pub(crate) async fn run_for(&self, worker: Worker, time: Duration) -> Report {
        worker.run(tokio::time::sleep(time)).await
    }

    /// The completions on the queue, in the order they were stored.
    pub(crate) fn completions(&self) -> Vec<Completion> {
        let messages = self.completed.inner.messages();
        let decoded = messages
            .iter()
            .map(|message| wire::decode_completion(message.body.as_bytes()).unwrap());
        decoded.collect()
    }
}
