//! The admin server: registrations and health, JSON over HTTP.

mod auth;
mod batch;
mod body;
mod bulk;
mod bursts;
mod channels;
mod check;
mod error;
mod explain;
mod guard;
mod health;
mod jobs;
mod load;
mod moving;
mod pace;
mod queues;
mod scaling;
mod scopes;
mod select;
mod serve;
mod settings;
mod slots;
mod undecodable;
mod view;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn_with_state, map_response},
    routing::{get, post, put},
};
use polling_model::{ChannelId, SharedClock};
use polling_ops::health::{Health, checks};
use scheduler_lib::{Monitor, Registry, Scheduler};
use tokio::sync::Semaphore;

use self::error::ApiError;
pub use self::serve::serve;
use crate::{
    config::{self, Config},
    scaling::Decisions,
    settings::Settings,
    suggest,
};

/// The admin server of one scheduler.
#[derive(Debug, Clone)]
pub struct Api(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registries: BTreeMap<ChannelId, Registry>,
    monitor: Monitor,
    health: Health,
    clock: SharedClock,
    started_ms: i64,
    limits: config::Admin,
    settings: Option<Settings>,
    permits: Semaphore,
    /// What `/v1/check` looks at.
    config: OnceLock<Config>,
    /// What `…/scaling` tells.
    decisions: OnceLock<Decisions>,
}

impl Api {
    /// The server of what `scheduler` serves.
    #[must_use]
    pub fn new(scheduler: &Scheduler, clock: SharedClock, limits: config::Admin) -> Self {
        Self::steered(scheduler, clock, limits, None)
    }

    /// The same, of one whose settings may change.
    #[must_use]
    pub fn steered(
        scheduler: &Scheduler,
        clock: SharedClock,
        limits: config::Admin,
        settings: Option<Settings>,
    ) -> Self {
        let registry = |id: &ChannelId| Some((id.clone(), scheduler.registry(id)?));
        let registries = scheduler.channels().filter_map(registry).collect();
        let monitor = scheduler.monitor();
        let more = settings
            .as_ref()
            .map(|settings| checks::settings(settings.followed()));
        let max_tick_age = limits.max_tick_age;
        let health = health::health(&registries, &monitor, &clock, max_tick_age, more);
        Self(Arc::new(Inner {
            registries,
            monitor,
            health,
            started_ms: clock.now_ms(),
            clock,
            permits: Semaphore::new(limits.max_requests),
            limits,
            settings,
            config: OnceLock::new(),
            decisions: OnceLock::new(),
        }))
    }

    /// Lets callers of `/v1/check` have this configuration looked at, as `--check` does; the first
    /// that is given stays.
    #[must_use]
    pub fn checks(self, config: Config) -> Self {
        self.0.config.get_or_init(|| config);
        self
    }

    /// Lets callers of `/v1/channels/…/scaling` see what is decided there; the first that is given
    /// stays.
    #[must_use]
    pub fn tells_scaling(self, decisions: Decisions) -> Self {
        self.0.decisions.get_or_init(|| decisions);
        self
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

    /// All routes, and `beside` them others that ask for no token, such as metrics.
    pub fn router_beside(self, beside: Router<Self>) -> Router {
        let job = get(jobs::show).patch(jobs::update).delete(jobs::remove);
        let message = get(undecodable::show).delete(undecodable::remove);
        let moving = Router::new()
            .route("/jobs:move/now", post(moving::all_now))
            .route("/jobs:move/time/{from}/{until}", post(moving::all_to_time))
            .route("/jobs:move/channel/{to}", post(moving::all_to_channel))
            .route("/jobs/{id}/move/time/{from}/{until}", post(moving::to_time))
            .route("/jobs/{id}/move/channel/{to}", post(moving::to_channel));
        let channel = Router::new()
            .route("/", get(channels::show))
            .route("/jobs", get(jobs::list).post(jobs::register))
            .route("/jobs:batch", post(batch::register))
            .route("/jobs:pause", post(bulk::pause))
            .route("/jobs:resume", post(bulk::resume))
            .route("/jobs/{id}", job)
            .route("/jobs/{id}/context", put(jobs::replace_context))
            .route("/jobs/{id}/explain", get(explain::explain))
            .route("/jobs/{id}/pause", post(jobs::pause))
            .route("/jobs/{id}/resume", post(jobs::resume))
            .route("/jobs/{id}/run-now", post(jobs::run_now))
            .route("/jobs/{id}/park", post(jobs::park))
            .route("/bursts", get(bursts::list))
            .route("/queues", get(queues::list))
            .route("/scaling", get(scaling::list))
            .route("/scopes", get(scopes::list))
            .route("/slots", get(slots::ahead))
            .route("/start", post(moving::start))
            .route("/stop", post(moving::stop))
            .route("/undecodable", get(undecodable::list))
            .route("/undecodable/{message}", message)
            .route("/undecodable/{message}/redrive", post(undecodable::redrive))
            .merge(moving);
        // The last layer runs first: who is not allowed in takes no permit.
        let api = Router::new()
            .route("/channels", get(channels::list))
            .route("/check", get(check::check))
            .route("/settings", get(settings::list))
            .nest("/channels/{channel}", channel)
            .layer(DefaultBodyLimit::max(self.0.limits.max_body_size_bytes))
            .layer(from_fn_with_state(self.clone(), load::bound))
            .layer(from_fn_with_state(self.clone(), auth::require_token));
        Router::new()
            .nest("/v1", api)
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .merge(beside)
            .fallback(error::no_such_path)
            .method_not_allowed_fallback(error::no_such_method)
            .layer(from_fn_with_state(
                self.clone(),
                guard::refuse_foreign_pages,
            ))
            .layer(map_response(guard::no_store))
            .with_state(self)
    }

    fn registry(&self, channel: &ChannelId) -> Result<&Registry, ApiError> {
        self.0.registries.get(channel).ok_or_else(|| {
            let known: Vec<_> = self.0.registries.keys().map(ChannelId::as_str).collect();
            ApiError::not_found(suggest::unknown("channel", channel.as_str(), &known))
        })
    }
}
