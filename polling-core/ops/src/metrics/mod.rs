//! Metrics of schedulers and workers: an [`Observer`] that counts, and the text that exporters read.
//!
//! ```
//! use std::time::Duration;
//! use polling_model::{Observation, Observer as _};
//! use polling_ops::metrics::{Gauge, Metrics};
//!
//! static TEMPERATURE: Gauge = Gauge {
//!     name: "kettle_temperature_celsius",
//!     help: "How hot the kettle is",
//!     labels: &["kettle"],
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), std::fmt::Error> {
//! let metrics = Metrics::new();
//! metrics.ask("kettle", || async { Some(vec![TEMPERATURE.reading(&["red"], 96.0)]) });
//!
//! // Scheduler::builder().observer(metrics.observer()), Worker::builder().observer(metrics.observer())
//! metrics.observer().observe(Observation::AckFailed);
//!
//! let text = metrics.scrape().await?;
//! assert!(text.contains("polling_ack_failures_total 1\n"));
//! assert!(text.contains("kettle_temperature_celsius{kettle=\"red\"} 96.0\n"));
//! # Ok(())
//! # }
//! ```
//!
//! All metrics are in one registry, and every exporter reads that one: they cannot disagree. A label's value is a
//! name, of a channel, a job type or a queue, or a word written in the code; ids of jobs and accounts are never
//! labels. A metric has at most [`MAX_SERIES`] names, and what is beyond is counted under `other`.

mod domain;
mod gauge;
mod objectives;
mod queues;
mod register;
mod sample;
mod series;
mod web;

use std::{
    fmt,
    future::Future,
    sync::{Arc, PoisonError, RwLock},
};

use polling_model::{Observation, Observer, SharedObserver};
pub use prometheus_client;
use prometheus_client::{encoding::text, registry::Registry};

use crate::objectives::Objective;

use self::{domain::Domain, gauge::Gauges, register::Register};
#[cfg(feature = "alerts")]
pub(crate) use self::{
    domain::{LATENESS as LATENESS_BOUNDS, POLLS as POLL_BOUNDS},
    web::CALLS as WEB_BOUNDS,
};
pub use self::{
    gauge::{ASK_DEADLINE, FRESH, Gauge, Reading},
    objectives::{OBJECTIVE_BOUND, OBJECTIVE_SHARE},
    queues::{QUEUE_AGE, QUEUE_DEPTH},
    register::Description,
    sample::{Sample, samples},
};

/// Series of a metric, unless said otherwise; what is beyond is counted under `other`.
pub const MAX_SERIES: usize = 500;

/// Counts what it observes, and tells it. Clones share everything.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    domain: Domain,
    gauges: Gauges,
    registry: RwLock<Registry>,
    described: Vec<Description>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Nothing counted yet, and [`MAX_SERIES`] of each metric at most.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max_series(MAX_SERIES)
    }

    /// The same with another bound, of 1 at least.
    #[must_use]
    pub fn with_max_series(max_series: usize) -> Self {
        Self::build(max_series, &[])
    }

    /// Counts how these objectives are kept, too: `polling_staleness_…` and `polling_lateness_…`.
    #[must_use]
    pub fn with_objectives(objectives: &[Objective]) -> Self {
        let metrics = Self::build(MAX_SERIES, objectives);
        metrics.tell_objectives(objectives);
        metrics
    }

    fn build(max_series: usize, objectives: &[Objective]) -> Self {
        let max_series = max_series.max(1);
        let (mut registry, mut described) = (Registry::default(), Vec::new());
        let mut register = Register {
            registry: &mut registry,
            described: &mut described,
            max_series,
        };
        let domain = Domain::new(&mut register, objectives);
        let unanswered = register.counter(
            "polling_gauge_failures",
            "Questions for gauges that were not answered in time; their gauges are absent",
            [],
            ["asked"],
        );
        let gauges = Gauges::new(unanswered, max_series);
        registry.register_collector(Box::new(gauges.clone()));
        Self(Arc::new(Inner {
            domain,
            gauges,
            registry: RwLock::new(registry),
            described,
        }))
    }

    /// For `Scheduler::builder().observer(…)`, `Worker::builder().observer(…)`, and for queues and metered ports.
    #[must_use]
    pub fn observer(&self) -> SharedObserver {
        Arc::new(self.clone())
    }

    /// Whenever somebody looks, asks for what gauges show, with [`ASK_DEADLINE`]. Who cannot tell returns `None`, or
    /// is late: its gauges are then absent, and `polling_gauge_failures_total` counts it as `what`.
    pub fn ask<F, Fut>(&self, what: &'static str, ask: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Option<Vec<Reading>>> + Send + 'static,
    {
        self.0.gauges.add(what, ask);
    }

    /// Metrics of your own in the same registry.
    pub fn registry<R>(&self, with: impl FnOnce(&mut Registry) -> R) -> R {
        let registry = self.0.registry.write();
        with(&mut registry.unwrap_or_else(PoisonError::into_inner))
    }

    /// Every metric that this crate counts, whether or not it has a value yet; gauges that are asked for excepted.
    #[must_use]
    pub fn described(&self) -> &[Description] {
        &self.0.described
    }

    /// Asks for the gauges, and tells everything in the text format of OpenMetrics 1.0.
    ///
    /// # Errors
    ///
    /// When a metric of your own cannot be written.
    pub async fn scrape(&self) -> Result<String, fmt::Error> {
        self.0.gauges.ask().await;
        let registry = self
            .0
            .registry
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut told = String::new();
        text::encode(&mut told, &registry)?;
        Ok(told)
    }
}

impl Observer for Metrics {
    fn observe(&self, observation: Observation<'_>) {
        self.0.domain.observe(observation);
    }
}
