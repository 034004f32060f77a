//! What a worker is made of, without type parameters, and the order of its layers.

use std::sync::Arc;

use tokio::sync::watch;
use tower::{Service, ServiceBuilder};

use super::{
    BuildError, ConfigError, Stack, WorkerConfig,
    tuning::{Live, Paces, Tuner},
};
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

/// All layers, and what of them others look at.
pub(super) struct Stacked {
    pub(super) stack: Stack,
    /// Tells whether the bus takes events.
    pub(super) gate: Gate,
    pub(super) tuner: Tuner,
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
        self.config.validate_queues(self.queues.len())?;
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
    pub(super) fn stack<S>(&self, ports: &Ports, observer: SharedObserver, core: S) -> Stacked
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
        let (gate, throttle) = (publish.gate(), publish.throttle());
        let replicas = config.replicas();
        let rate_limit = self.rate_limit(replicas.clone());
        let live = Live {
            concurrency: watch::Sender::new(config.concurrency),
            replicas,
            throttle,
            paces: paces(&rate_limit),
        };
        let timeout = TimeoutLayer::new(observer, config.poll_timeout, config.hang_grace);
        let stack = ServiceBuilder::new()
            .layer(ack)
            .layer(complete)
            .layer(CatchPanicLayer)
            .layer(publish)
            .layer(rate_limit)
            .layer(timeout)
            .layer(AdaptLayer)
            .service(core);
        Stacked {
            stack: Box::new(stack),
            gate,
            tuner: Tuner::new(config.clone(), self.queues.len(), live),
        }
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

/// Paces by the names of their scopes: the second of a scope `app` is `app-2`.
fn paces(layer: &RateLimitLayer) -> Paces {
    let mut paces = Paces::new();
    for pacer in layer.pacers() {
        let scope = pacer.scope().name();
        let further = (2..).map(|number| format!("{scope}-{number}"));
        let mut names = std::iter::once(scope.to_owned()).chain(further);
        let name = names.find(|name| !paces.contains_key(name));
        paces.extend(name.map(|name| (name, Arc::clone(pacer))));
    }
    paces
}

const fn missing(part: &'static str, method: &'static str) -> BuildError {
    BuildError::Missing { part, method }
}
