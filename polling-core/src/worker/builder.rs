//! From parts to a worker.

use std::{fmt, sync::Arc};

use tower::{
    Layer, Service,
    layer::util::{Identity, Stack as LayerStack},
};

use super::{
    ConfigError, Worker, WorkerConfig,
    parts::{Limit, Parts, Stacked},
    pulse::Pulse,
    report::Tally,
};
use crate::{
    BoxError, Generator, Job, Polled, Poller, PollerService, SharedBus, SharedClock,
    SharedObserver, SharedQueue, Topic,
    rate_limit::{Quota, Scope},
};

/// Puts a [`Worker`] together. The order of the SDK's layers is fixed; yours go between them and
/// the poller.
///
/// `S` is the service at the core and `L` the layers around it; both end at
/// [`build`](Self::build).
#[must_use = "a builder does nothing until it is built"]
pub struct WorkerBuilder<S = NoPoller, L = Identity> {
    service: S,
    layers: L,
    parts: Parts,
}

/// A builder that has no poller yet: see [`WorkerBuilder::poller`].
#[derive(Debug, Clone, Copy)]
pub struct NoPoller;

/// Why a worker cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A part is missing.
    #[error("the worker has no {part}: call `.{method}(…)` on its builder")]
    Missing {
        /// What is missing.
        part: &'static str,
        /// The method that sets it.
        method: &'static str,
    },
    /// A setting is out of its bounds.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Default for WorkerBuilder {
    fn default() -> Self {
        Self {
            service: NoPoller,
            layers: Identity::new(),
            parts: Parts::default(),
        }
    }
}

impl<S, L> WorkerBuilder<S, L> {
    /// What to run for each job.
    pub fn poller<P: Poller>(self, poller: P) -> WorkerBuilder<PollerService<P>, L> {
        self.service(PollerService::new(poller))
    }

    /// What to run for each job, as a Tower service over [`Job`]s. Its error is looked through
    /// for a [`PollError`](crate::PollError); without one it is a bug.
    pub fn service<T>(self, service: T) -> WorkerBuilder<T, L> {
        self.map(|_, layers| (service, layers))
    }

    /// Adds a layer around the poller. The first one added is the outermost, as with
    /// [`tower::ServiceBuilder`].
    pub fn layer<T>(self, layer: T) -> WorkerBuilder<S, LayerStack<T, L>> {
        self.map(|service, layers| (service, LayerStack::new(layer, layers)))
    }

    /// Receives from this queue too; at least one is needed.
    pub fn work(mut self, queue: SharedQueue) -> Self {
        self.parts.queues.push(queue);
        self
    }

    /// Stores completions on this queue.
    pub fn completed(mut self, queue: SharedQueue) -> Self {
        self.parts.completed = Some(queue);
        self
    }

    /// Publishes events to this bus.
    pub fn bus(mut self, bus: SharedBus) -> Self {
        self.parts.bus = Some(bus);
        self
    }

    /// Has [`Worker::check`] look whether this topic can be published to.
    pub fn topic(mut self, topic: Topic) -> Self {
        self.parts.topics.push(topic);
        self
    }

    /// Makes calls of `scope` wait for what the channel reports of it. [`Scope::app`] and
    /// [`Scope::account`] are followed anyway.
    pub fn follow(mut self, scope: Scope) -> Self {
        self.parts.limits.push(Limit::Follow(scope));
        self
    }

    /// Paces the calls of `scope` by `quota`, whatever the channel reports. The quota is that of
    /// all workers together: see [`WorkerConfig::replicas`].
    pub fn pace(mut self, scope: Scope, quota: Quota) -> Self {
        self.parts.limits.push(Limit::Pace(scope, quota));
        self
    }

    /// Sets all bounds.
    pub fn config(mut self, config: WorkerConfig) -> Self {
        self.parts.config = config;
        self
    }

    /// Tells the time; [`SystemClock`](crate::SystemClock) unless set.
    pub fn clock(mut self, clock: SharedClock) -> Self {
        self.parts.clock = clock;
        self
    }

    /// Takes what the worker observes; nothing does unless set.
    pub fn observer(mut self, observer: SharedObserver) -> Self {
        self.parts.observer = observer;
        self
    }

    /// Gives jitter and the identity's random part; seeded by the operating system unless set.
    pub fn generator(mut self, generator: Generator) -> Self {
        self.parts.generator = generator;
        self
    }

    fn map<S2, L2>(self, change: impl FnOnce(S, L) -> (S2, L2)) -> WorkerBuilder<S2, L2> {
        let (service, layers) = change(self.service, self.layers);
        WorkerBuilder {
            service,
            layers,
            parts: self.parts,
        }
    }
}

impl<S, L> WorkerBuilder<S, L>
where
    L: Layer<S>,
    L::Service: Service<Job, Response = Polled> + Clone + Send + 'static,
    <L::Service as Service<Job>>::Error: Into<BoxError>,
    <L::Service as Service<Job>>::Future: Send,
{
    /// The worker.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when a part is missing or a setting is out of its bounds.
    pub fn build(self) -> Result<Worker, BuildError> {
        let Self {
            service,
            layers,
            parts,
        } = self;
        let ports = parts.ports()?;
        parts.validate()?;
        let tally = Tally::new(parts.observer.clone());
        let pulse = Pulse::new(parts.clock.clone());
        let Stacked { stack, gate, tuner } =
            parts.stack(&ports, Arc::new(tally.clone()), layers.layer(service));
        Ok(Worker {
            identity: format!("{}-{:016x}", parts.config.name, parts.generator.next_u64()),
            config: parts.config,
            queues: parts.queues,
            completed: ports.completed,
            bus: ports.bus,
            topics: parts.topics,
            generator: parts.generator,
            tally,
            tuner,
            pulse,
            stack,
            gate,
        })
    }
}

impl<S, L> fmt::Debug for WorkerBuilder<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerBuilder")
            .field("config", &self.parts.config)
            .field("queues", &self.parts.queues)
            .finish_non_exhaustive()
    }
}
