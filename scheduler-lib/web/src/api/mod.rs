//! The JSON API: what `pollctl` and programs call.

mod batch;
mod body;
mod bulk;
mod bursts;
mod channels;
mod check;
pub(crate) mod error;
mod explain;
mod jobs;
mod moving;
mod pace;
mod queues;
mod scaling;
mod scopes;
mod select;
mod settings;
mod slots;
mod undecodable;
mod view;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    routing::{get, post, put},
};

use crate::{Web, access, load};

/// Everything below `/v1`.
pub(crate) fn router(web: &Web) -> Router<Web> {
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
    Router::new()
        .route("/channels", get(channels::list))
        .route("/check", get(check::check))
        .route("/settings", get(settings::list))
        .nest("/channels/{channel}", channel)
        .layer(DefaultBodyLimit::max(web.0.options.max_body_size_bytes))
        .layer(from_fn_with_state(web.clone(), load::bound))
        .layer(from_fn_with_state(web.clone(), access::of_program))
}
