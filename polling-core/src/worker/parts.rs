//! What a worker is made of, without type parameters, and the order of its layers.

use std::sync::Arc;

use tower::{Service, ServiceBuilder};

use super::{BuildError, ConfigError, Stack, WorkerConfig};
use crate::{
    BoxError, Generator, Job, Polled, SharedBus, SharedClock, SharedObserver, SharedQueue,
    SystemClock, Topic,
    ack::AckLayer,
    adapt::AdaptLayer,
    caps,
    catch_panic::CatchPanicLayer,
    complete::CompleteLayer,
    publish::{Gate, PublishLayer},
    rate_limit::{Quota, RateLimitLayer, Replicas, Scope},
    timeout::TimeoutLayer,
};

/// What has no type parameters.
pub(super) struct Parts {
    pub(super) config: WorkerConfig,
    pub(super) queues: Vec<SharedQueue>,
    pub(super) completed: Option<SharedQueue>,
    pub(super) bus: Option<SharedBus>,
    pub(super) topics: Vec<Topic>,
    pub(super) limits: Vec<Limit>,
    pub(super) clock: SharedClock,
    pub(super) observer: SharedObserver,
    pub(super) generator: Generator,
}

/// A rule of the rate-limit layer.
#[derive(Debug)]
pub(super) enum Limit {
    Follow(Scope),
    Pace(Scope, Quota),
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

/// The parts that must be there.
pub(super) struct Ports {
    pub(super) completed: SharedQueue,
    pub(super) bus: SharedBus,
}

impl Parts {
    pub(super) fn ports(&self) -> Result<Ports, BuildError> {
        if self.queues.is_empty() {
            return Err(missing("work queue", "work"));
        }
        Ok(Ports {
            completed: (self.completed.clone()).ok_or(missing("completed queue", "completed"))?,
            bus: self.bus.clone().ok_or(missing("event bus", "bus"))?,
        })
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
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

    /// The one place that orders the layers: effects must not be reordered by accident. Also what
    /// tells whether the bus takes events.
    pub(super) fn stack<S>(
        &self,
        ports: &Ports,
        observer: SharedObserver,
        replicas: Replicas,
        core: S,
    ) -> (Stack, Gate)
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
        let gate = publish.gate();
        let timeout = TimeoutLayer::new(observer, config.poll_timeout, config.hang_grace);
        let stack = ServiceBuilder::new()
            .layer(ack)
            .layer(complete)
            .layer(CatchPanicLayer)
            .layer(publish)
            .layer(self.rate_limit(replicas))
            .layer(timeout)
            .layer(AdaptLayer)
            .service(core);
        (Box::new(stack), gate)
    }

    fn rate_limit(&self, replicas: Replicas) -> RateLimitLayer {
        let layer = RateLimitLayer::new(self.clock.clone(), self.config.rate_limit_wait);
        let layer = layer.replicas(replicas);
        self.limits.iter().fold(layer, |layer, limit| match limit {
            Limit::Follow(scope) => layer.follow(scope.clone()),
            Limit::Pace(scope, quota) => layer.pace(scope.clone(), *quota),
        })
    }
}

const fn missing(part: &'static str, method: &'static str) -> BuildError {
    BuildError::Missing { part, method }
}
