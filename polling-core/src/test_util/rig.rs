//! One job through the whole stack.

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::{Run, START_MS, clock, run::Bug};
use crate::{
    Context, Generator, Poller, PollerService, Queue, SharedClock, Worker, WorkerBuilder,
    WorkerConfig, model,
    transport::memory::{MemoryBus, MemoryQueue},
    worker::BuildError,
};

/// How long a dispatch is good for.
const LEFT_MS: i64 = 600_000;

/// A worker's wait for its next job, which nobody has for it.
const RECEIVE_WAIT: Duration = Duration::from_millis(10);

/// Polls one job with your poller, through all layers of a worker over queues and a bus in memory,
/// and keeps its context from one poll to the next, as the scheduler would.
///
/// See [`test_util`](super) for an example.
pub struct Rig<P> {
    poller: Arc<P>,
    dispatch: model::Job,
    clock: SharedClock,
    config: WorkerConfig,
}

impl<P: Poller> Rig<P> {
    /// A job that was never polled: `items:42` of the channel `test`, with an empty context. Call
    /// it within a runtime. To keep the poller, give an `Arc` of it.
    ///
    /// # Panics
    ///
    /// Never: what it parses is valid.
    #[must_use]
    pub fn new(poller: P) -> Self {
        let valid = "it is a valid name";
        let dispatch = model::Job {
            id: "items:42".parse().expect(valid),
            channel: "test".parse().expect(valid),
            job_type: "items".parse().expect(valid),
            account: "42".parse().expect(valid),
            level: "gold".parse().expect(valid),
            token: model::Token::from_wire("00000000000000a1.1.00000000000000b2").expect(valid),
            due_ms: START_MS,
            not_after_ms: START_MS + LEFT_MS,
            context: Context::new(),
        };
        Self {
            poller: Arc::new(poller),
            dispatch,
            clock: clock(),
            config: WorkerConfig {
                concurrency: 1,
                receive_wait: RECEIVE_WAIT,
                ..WorkerConfig::default()
            },
        }
    }

    /// The same with another account, channel or the like. Its due time is set by each poll.
    #[must_use]
    pub fn with_job(mut self, change: impl FnOnce(&mut model::Job)) -> Self {
        change(&mut self.dispatch);
        self
    }

    /// The same with other bounds, such as another deadline of a poll.
    #[must_use]
    pub fn with_config(mut self, change: impl FnOnce(&mut WorkerConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// The same with this context.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.dispatch.context = context;
        self
    }

    pub(super) fn set_context(&mut self, context: Context) {
        self.dispatch.context = context;
    }

    /// What the last poll left for the next.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.dispatch.context
    }

    /// The poller.
    #[must_use]
    pub fn poller(&self) -> &P {
        &self.poller
    }

    /// The job as a poller gets it, for calling one by hand.
    #[must_use]
    pub fn job(&self) -> crate::Job {
        crate::Job::new(self.due(), self.clock.now_ms())
    }

    /// Polls the job once.
    ///
    /// # Panics
    ///
    /// When the worker's configuration is not valid, or the context too large to be sent.
    pub async fn poll(&mut self) -> Run {
        self.poll_with(WorkerBuilder::build).await
    }

    /// The same by a worker that `build` completes: with layers of your own, or limits.
    ///
    /// # Panics
    ///
    /// As [`poll`](Self::poll).
    pub async fn poll_with(
        &mut self,
        build: impl FnOnce(WorkerBuilder<PollerService<Arc<P>>>) -> Result<Worker, BuildError>,
    ) -> Run {
        self.dispatch = self.due();
        let queue = |name: &str| MemoryQueue::builder(name, self.clock.clone()).build();
        let (work, completed, bus) = (queue("work"), queue("completed"), MemoryBus::new());
        let ended = Arc::new(Notify::new());
        let bug = Bug::new(ended.clone());
        let builder = Worker::builder()
            .work(work.clone())
            .completed(completed.clone())
            .bus(Arc::new(bus.clone()))
            .config(self.config.clone())
            .clock(self.clock.clone())
            .observer(Arc::new(bug.clone()))
            .generator(Generator::from_seed(7))
            .poller(self.poller.clone());
        let worker = build(builder).expect("the rig's worker has valid settings");
        let body = model::wire::encode_job(&self.dispatch).expect("the job fits into a message");
        work.send(vec![body]).await;
        let until = async {
            let completion = completed.receive(1, Duration::MAX);
            tokio::select! {
                biased;
                () = ended.notified() => {}
                _ = completion => {}
            }
        };
        worker.run(until).await;
        let run = Run::new(&bus, &completed, bug.kind());
        if let Some(context) = run.context() {
            self.dispatch.context = context.clone();
        }
        run
    }

    /// The next dispatch of the job, due now.
    fn due(&self) -> model::Job {
        let due_ms = self.clock.now_ms();
        model::Job {
            due_ms,
            not_after_ms: due_ms + LEFT_MS,
            ..self.dispatch.clone()
        }
    }
}

impl<P> fmt::Debug for Rig<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rig").finish_non_exhaustive()
    }
}
