//! The worker: everything around the poller, put together.

mod builder;
mod check;
mod config;
mod intake;
mod parts;
mod pulse;
mod pump;
mod report;
mod tuning;

use std::{fmt, future::Future};

use futures_util::future::BoxFuture;
use tower::Service;

use self::report::Tally;
pub use self::{
    builder::{BuildError, NoPoller, WorkerBuilder},
    check::{NotReady, Problem},
    config::{ConfigError, WorkerConfig},
    pulse::Pulse,
    report::Report,
    tuning::{Pace, Tuner, Tuning},
};
use crate::{
    BoxError, Delivery, Generator, SharedBus, SharedQueue, Topic, publish::Gate,
    rate_limit::Replicas,
};

/// The stack of all layers, boxed once: a worker has no type parameters.
type Stack = Box<
    dyn Service<
            Delivery,
            Response = (),
            Error = BoxError,
            Future = BoxFuture<'static, Result<(), BoxError>>,
        > + Send,
>;

/// Receives jobs, has them polled, and publishes, completes and acknowledges them.
///
/// See [`builder`](Self::builder), and the [crate's first page](crate) for a whole program.
pub struct Worker {
    identity: String,
    config: WorkerConfig,
    queues: Vec<SharedQueue>,
    completed: SharedQueue,
    bus: SharedBus,
    topics: Vec<Topic>,
    generator: Generator,
    tally: Tally,
    tuner: Tuner,
    pulse: Pulse,
    stack: Stack,
    gate: Gate,
}

impl Worker {
    /// The start of a worker. It needs a poller, one work queue or more, the completed queue and
    /// a bus.
    pub fn builder() -> WorkerBuilder {
        WorkerBuilder::default()
    }

    /// The configured name and a random part: no two processes share one, whatever a deployment
    /// does with names.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The number of workers that share its paces, [`WorkerConfig::replicas`] to begin with. Keep
    /// it to tell the worker, while it runs, that there are more or fewer.
    #[must_use]
    pub fn replicas(&self) -> Replicas {
        self.tuner.replicas()
    }

    /// Changes it while it runs: how many jobs at once, its paces. Keep it, or have it
    /// [follow](Tuner::follow) what changes elsewhere.
    #[must_use]
    pub fn tuner(&self) -> Tuner {
        self.tuner.clone()
    }

    /// Tells whether its jobs end. Keep it to ask while the worker runs.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Works until `shutdown` resolves, then stops receiving, lets the jobs under way finish
    /// within the grace, gives the rest back and flushes the bus.
    ///
    /// Poll it within a Tokio runtime with its timers on. Dropping it drops the jobs under way,
    /// whose messages are given back, and skips the rest.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Report {
        pump::run(self, shutdown).await
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("identity", &self.identity)
            .field("queues", &self.queues)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
