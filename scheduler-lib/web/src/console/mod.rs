//! The console: pages for people in a hurry. Rendered here, with a little script; it works without.
#![allow(
    clippy::needless_pass_by_value,
    reason = "markup is made to be put into other markup"
)]

mod accounts;
mod assets;
mod changes;
mod dead_letters;
mod frame;
mod health;
mod jobs;
mod limits;
mod login;
mod now;
mod settings;
mod sorry;
mod words;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, StatusCode, Uri},
    middleware::{Next, from_fn, from_fn_with_state, map_response},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};

pub(crate) use self::{now::Looks, sorry::Sorry};
use crate::{
    Web,
    access::{self, Refusal},
    load,
};

/// Largest form, bytes.
const MAX_FORM_SIZE_BYTES: usize = 64 * 1024;

/// Everything below `/console`.
pub(crate) fn router(web: &Web) -> Router<Web> {
    let pages = Router::new()
        .route("/console", get(home))
        .route("/console/", get(home))
        .route("/console/{*other}", any(sorry::no_such_page))
        .route("/console/health", get(health::show))
        .route("/console/health/live", get(health::stream))
        .route("/console/changes", get(changes::show))
        .route("/console/logout", post(login::end))
        .route("/console/settings", get(settings::list))
        .route(
            "/console/settings/{*key}",
            get(settings::show).post(settings::change),
        )
        .merge(cycle())
        .merge(desk());
    // The last layer runs first.
    let pages = pages
        .layer(DefaultBodyLimit::max(MAX_FORM_SIZE_BYTES))
        .layer(from_fn_with_state(web.clone(), load::bound))
        .layer(from_fn_with_state(web.clone(), let_in))
        .layer(map_response(assets::confine));
    let login = Router::new()
        .route("/console/login", get(login::show).post(login::begin))
        .layer(DefaultBodyLimit::max(MAX_FORM_SIZE_BYTES))
        .layer(map_response(assets::confine));
    pages
        .merge(login)
        .route("/console/assets/{name}", get(assets::show))
        .layer(from_fn(sorry::in_html))
}

/// What happens, and to which jobs.
fn cycle() -> Router<Web> {
    Router::new()
        .route("/console/channels/{channel}/now", get(now::show))
        .route("/console/channels/{channel}/now/live", get(now::stream))
        .route(
            "/console/channels/{channel}/jobs",
            get(jobs::list).post(jobs::edit),
        )
        .route(
            "/console/channels/{channel}/jobs/{id}",
            get(jobs::show).post(jobs::change),
        )
        .route(
            "/console/channels/{channel}/jobs/{id}/pace",
            post(jobs::change_pace),
        )
}

/// What an operator decides on.
fn desk() -> Router<Web> {
    Router::new()
        .route("/console/channels/{channel}/accounts", get(accounts::list))
        .route(
            "/console/channels/{channel}/accounts/{id}",
            get(accounts::show),
        )
        .route(
            "/console/channels/{channel}/accounts/{id}/pace",
            post(accounts::change),
        )
        .route("/console/channels/{channel}/limits", get(limits::show))
        .route(
            "/console/channels/{channel}/dead-letters",
            get(dead_letters::show),
        )
        .route(
            "/console/channels/{channel}/dead-letters/jobs",
            post(dead_letters::change_jobs),
        )
        .route(
            "/console/channels/{channel}/dead-letters/messages",
            post(dead_letters::change_messages),
        )
        .route(
            "/console/channels/{channel}/dead-letters/messages/{message}",
            get(dead_letters::show_message),
        )
}

/// The first channel's present.
async fn home(State(web): State<Web>) -> Redirect {
    match web.0.registries.keys().next() {
        Some(channel) => Redirect::to(&frame::path(channel, "now")),
        None => Redirect::to("/console/health"),
    }
}

/// Lets in who has a session, and sends others to the form.
async fn let_in(State(web): State<Web>, request: Request, next: Next) -> Response {
    if !web.0.access.is_closed() {
        return Sorry::new(
            StatusCode::FORBIDDEN,
            "the console opens once somebody may log in: set admin.token or admin.users in the scheduler's configuration",
        )
        .into_response();
    }
    access::of_person(web, request, next, |_, request, _: Refusal| {
        if request.method() == Method::GET {
            Redirect::to(&login::path_back_to(request.uri())).into_response()
        } else {
            Sorry::new(
                StatusCode::UNAUTHORIZED,
                "log in first: your session has ended",
            )
            .into_response()
        }
    })
    .await
}

/// The path and the query of an address, as a link leads to it.
fn local(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/console", |all| all.as_str())
}
