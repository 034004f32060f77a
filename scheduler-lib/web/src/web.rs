//! The server of one scheduler, and what it is made of.

use std::{collections::BTreeMap, fmt, sync::Arc};

use axum::{
    Router,
    middleware::{from_fn_with_state, map_response},
    routing::get,
};
use futures_util::future::BoxFuture;
use polling_model::{ChannelId, JobType, SharedClock};
use polling_ops::health::{Check, Health};
use scheduler_lib::{Monitor, Registry, Scheduler};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::{
    Options, Recent,
    access::{self, Access, Audit},
    api::{self, error::ApiError},
    console, guard, health,
    settings::Steering,
    suggest,
};

/// The JSON API, the console and the health of one scheduler. Clones are the same.
#[derive(Debug, Clone)]
pub struct Web(pub(crate) Arc<Inner>);

/// Looks at everything that a configuration names.
type Checking = Box<dyn Fn() -> BoxFuture<'static, Value> + Send + Sync>;

/// The last decisions on a channel's job types.
type Scaling = Box<dyn Fn(&ChannelId) -> Vec<ScalingView> + Send + Sync>;

pub(crate) struct Inner {
    pub(crate) registries: BTreeMap<ChannelId, Registry>,
    pub(crate) monitor: Monitor,
    pub(crate) health: Health,
    pub(crate) clock: SharedClock,
    pub(crate) started_ms: i64,
    pub(crate) options: Options,
    pub(crate) access: Access,
    pub(crate) audit: Audit,
    pub(crate) settings: Option<Arc<dyn Steering>>,
    pub(crate) permits: Semaphore,
    pub(crate) looks: console::Looks,
    /// What happened of late, if somebody remembers it.
    pub(crate) recent: Option<Arc<Recent>>,
    /// What `/v1/check` tells.
    pub(crate) check: Option<Checking>,
    /// What `…/scaling` tells.
    pub(crate) scaling: Option<Scaling>,
}

/// How many workers of a job type there should be.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ScalingView {
    /// The job type.
    #[schemars(with = "String")]
    pub job_type: JobType,
    /// So many should run, those that start included.
    pub workers: u32,
    /// Why.
    pub reason: String,
    /// When it was decided, UTC milliseconds.
    pub decided_ms: i64,
    /// Nothing was decided of late: the number is to be left as it is.
    pub stale: bool,
}

/// A [`Web`] in the making.
#[must_use]
pub struct WebBuilder {
    registries: BTreeMap<ChannelId, Registry>,
    monitor: Monitor,
    clock: SharedClock,
    options: Options,
    recent: Option<Arc<Recent>>,
    settings: Option<Arc<dyn Steering>>,
    check: Option<Checking>,
    scaling: Option<Scaling>,
    more: Vec<Check>,
}

impl WebBuilder {
    /// How it is reached, who may call, and its bounds.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// What happened of late: speed, lateness and failures on the console. The scheduler must have it as an observer.
    pub fn recent(mut self, recent: Arc<Recent>) -> Self {
        self.recent = Some(recent);
        self
    }

    /// Settings that change while the scheduler runs.
    pub fn settings(mut self, settings: Arc<dyn Steering>) -> Self {
        self.settings = Some(settings);
        self
    }

    /// One more thing that health looks at.
    pub fn health(mut self, check: Check) -> Self {
        self.more.push(check);
        self
    }

    /// What `/v1/check` tells.
    pub fn check(
        mut self,
        check: impl Fn() -> BoxFuture<'static, Value> + Send + Sync + 'static,
    ) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    /// What `/v1/channels/…/scaling` tells.
    pub fn scaling(
        mut self,
        scaling: impl Fn(&ChannelId) -> Vec<ScalingView> + Send + Sync + 'static,
    ) -> Self {
        self.scaling = Some(Box::new(scaling));
        self
    }

    /// The server.
    #[must_use]
    pub fn build(self) -> Web {
        let max_tick_age = self.options.max_tick_age;
        let health = health::health(
            &self.registries,
            &self.monitor,
            &self.clock,
            max_tick_age,
            self.more,
        );
        Web(Arc::new(Inner {
            looks: console::Looks::new(self.registries.keys()),
            recent: self.recent,
            registries: self.registries,
            monitor: self.monitor,
            health,
            started_ms: self.clock.now_ms(),
            clock: self.clock,
            access: Access::new(&self.options),
            audit: Audit::default(),
            permits: Semaphore::new(self.options.max_requests),
            options: self.options,
            settings: self.settings,
            check: self.check,
            scaling: self.scaling,
        }))
    }
}

impl Web {
    /// The server of what `scheduler` serves.
    #[must_use]
    pub fn new(scheduler: &Scheduler, clock: SharedClock, options: Options) -> Self {
        Self::builder(scheduler, clock).options(options).build()
    }

    /// The same, with more to tell.
    pub fn builder(scheduler: &Scheduler, clock: SharedClock) -> WebBuilder {
        let registry = |id: &ChannelId| Some((id.clone(), scheduler.registry(id)?));
        WebBuilder {
            registries: scheduler.channels().filter_map(registry).collect(),
            monitor: scheduler.monitor(),
            clock,
            options: Options::default(),
            recent: None,
            settings: None,
            check: None,
            scaling: None,
            more: Vec::new(),
        }
    }

    /// What `/healthz` and `/readyz` stand on.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.0.health
    }

    /// All routes.
    pub fn router(self) -> Router {
        self.router_beside(Router::new())
    }

    /// All routes, and `beside` them others that ask for no credentials, such as metrics.
    pub fn router_beside(self, beside: Router<Self>) -> Router {
        Router::new()
            .nest("/v1", api::router(&self))
            .merge(console::router(&self))
            .layer(from_fn_with_state(self.clone(), access::record))
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .merge(beside)
            .fallback(api::error::no_such_path)
            .method_not_allowed_fallback(api::error::no_such_method)
            .layer(from_fn_with_state(
                self.clone(),
                guard::refuse_foreign_pages,
            ))
            .layer(map_response(guard::harden))
            .with_state(self)
    }

    pub(crate) fn registry(&self, channel: &ChannelId) -> Result<&Registry, ApiError> {
        self.0.registries.get(channel).ok_or_else(|| {
            let known: Vec<_> = self.0.registries.keys().map(ChannelId::as_str).collect();
            ApiError::not_found(suggest::unknown("channel", channel.as_str(), &known))
        })
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web")
            .field("channels", &self.registries.keys())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WebBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebBuilder")
            .field("channels", &self.registries.keys())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
