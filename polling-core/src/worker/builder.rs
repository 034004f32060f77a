//! From parts to a worker.

use std::{fmt, sync::Arc};

use tower::{
    Layer, Service, ServiceBuilder,
    layer::util::{Identity, Stack as LayerStack},
    util::BoxService,
};

use super::{ConfigError, Stack, Worker, WorkerConfig, report::Tally};
use crate::{
    BoxError, Generator, Job, Polled, Poller, PollerService, SharedBus, SharedClock,
    SharedObserver, SharedQueue, SystemClock, Topic,
    ack::AckLayer,
    adapt::AdaptLayer,
    caps,
    catch_panic::CatchPanicLayer,
    complete::CompleteLayer,
    publish::PublishLayer,
    rate_limit::{Quota, RateLimitLayer, Scope},
    timeout::TimeoutLayer,
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

/// What has no type parameters.
struct Parts {
    config: WorkerConfig,
    queues: Vec<SharedQueue>,
    completed: Option<SharedQueue>,
    bus: Option<SharedBus>,
    topics: Vec<Topic>,
    limits: Vec<Limit>,
    clock: SharedClock,
    observer: SharedObserver,
    generator: Generator,
}

/// A builder that has no poller yet: see [`WorkerBuilder::poller`].
#[derive(Debug, Clone, Copy)]
pub struct NoPoller;

#[derive(Debug)]
enum Limit {
    Follow(Scope),
    Pace(Scope, Quota),
}

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

impl Default for Parts {
    fn default() -> Self {
        Self {
            config: WorkerConfig::default(),
            queues: Vec::new(),
            completed: None,
            bus: None,
            topics: Vec::new(),
            limits: vec![Limit::Follow(Scope::app()), Limit::Follow(Scope::account())],
            clock: Arc::new(SystemClock),
            observer: Arc::new(()),
            generator: Generator::from_os(),
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
    /// [`ServiceBuilder`].
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

    /// Paces the calls of `scope` by `quota`, whatever the channel reports.
    pub fn pace(mut self, scope: Scope, quota: Quota) -> Self {
        self.parts.limits.push(Limit::Pace(scope, quota));
        self
    }

    /// Sets all bounds.
    pub fn config(mut self, config: WorkerConfig) -> Self {
        self.parts.config = config;
        self
    }

    /// Tells the time; [`SystemClock`] unless set.
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
        let stack = parts.stack(&ports, Arc::new(tally.clone()), layers.layer(service));
        Ok(Worker {
            identity: format!("{}-{:016x}", parts.config.name, parts.generator.next_u64()),
            config: parts.config,
            queues: parts.queues,
            completed: ports.completed,
            bus: ports.bus,
            topics: parts.topics,
            generator: parts.generator,
            tally,
            stack,
        })
    }
}

/// The parts that must be there.
struct Ports {
    completed: SharedQueue,
    bus: SharedBus,
}

impl Parts {
    fn ports(&self) -> Result<Ports, BuildError> {
        if self.queues.is_empty() {
            return Err(missing("work queue", "work"));
        }
        Ok(Ports {
            completed: (self.completed.clone()).ok_or(missing("completed queue", "completed"))?,
            bus: self.bus.clone().ok_or(missing("event bus", "bus"))?,
        })
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.validate()?;
        if self.config.concurrency < self.queues.len() {
            return Err(ConfigError::new(
                "concurrency",
                self.config.concurrency.to_string(),
                format!("{} at least, one for each work queue", self.queues.len()),
            ));
        }
        for queue in &self.queues {
            let visibility = queue.visibility_timeout();
            if visibility < caps::MIN_VISIBILITY {
                return Err(ConfigError::new(
                    "a work queue's visibility timeout",
                    format!("{visibility:?} ({})", queue.name()),
                    format!("{:?} at least", caps::MIN_VISIBILITY),
                ));
            }
        }
        Ok(())
    }

    /// The one place that orders the layers: effects must not be reordered by accident.
    fn stack<S>(&self, ports: &Ports, observer: SharedObserver, core: S) -> Stack
    where
        S: Service<Job, Response = Polled> + Clone + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        let Self { config, clock, .. } = self;
        let ack = AckLayer::new(clock.clone(), observer.clone(), config.reserve());
        let complete = CompleteLayer::new(
            ports.completed.clone(),
            clock.clone(),
            observer.clone(),
            self.generator.clone(),
            config.complete_timeout,
        );
        let publish =
            PublishLayer::new(ports.bus.clone(), observer.clone(), config.publish_limits());
        let timeout = TimeoutLayer::new(observer, config.poll_timeout, config.hang_grace);
        let stack = ServiceBuilder::new()
            .layer(ack)
            .layer(complete)
            .layer(CatchPanicLayer)
            .layer(publish)
            .layer(self.rate_limit())
            .layer(timeout)
            .layer(AdaptLayer)
            .service(core);
        BoxService::new(stack)
    }

    fn rate_limit(&self) -> RateLimitLayer {
        let layer = RateLimitLayer::new(self.clock.clone(), self.config.rate_limit_wait);
        self.limits.iter().fold(layer, |layer, limit| match limit {
            Limit::Follow(scope) => layer.follow(scope.clone()),
            Limit::Pace(scope, quota) => layer.pace(scope.clone(), *quota),
        })
    }
}

const fn missing(part: &'static str, method: &'static str) -> BuildError {
    BuildError::Missing { part, method }
}

impl<S, L> fmt::Debug for WorkerBuilder<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerBuilder")
            .field("config", &self.parts.config)
            .field("queues", &self.parts.queues)
            .finish_non_exhaustive()
    }
}
