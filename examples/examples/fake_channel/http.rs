//! The channel's API over HTTP, and the control of it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    answer::{self, Mode},
    channel::{Answer, Channel},
    schedule::Post,
    windows::Rate,
};

/// What all handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) channel: Arc<Mutex<Channel>>,
    /// Between deciding an answer and sending it: who is killed meanwhile never hears of what the
    /// log says it was offered.
    pub(crate) latency: Duration,
}

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/api/v1/accounts/{id}/statuses", get(statuses))
        .route("/control", get(status).post(control))
        .with_state(app)
}

async fn statuses(
    State(app): State<App>,
    Path(account): Path<u32>,
    Query(query): Query<answer::Query>,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let agent = headers.get(header::USER_AGENT);
    let worker = agent.and_then(|agent| agent.to_str().ok()).unwrap_or("?");
    let now_ms = now_ms();
    let answer = app.lock().answer(account, &query, worker, now_ms)?;
    tokio::time::sleep(app.latency).await;
    Ok(match answer {
        Some(answer) => response(account, &answer),
        None => refusal(StatusCode::NOT_FOUND, "Record not found"),
    })
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Control {
    posting: Option<Switch>,
    mode: Option<Mode>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Switch {
    Start,
    Stop,
}

async fn control(State(app): State<App>, Json(control): Json<Control>) -> Result<Response, Failed> {
    let now_ms = now_ms();
    let mut channel = app.lock();
    match control.posting {
        Some(Switch::Start) => channel.start_posting(now_ms),
        Some(Switch::Stop) => channel.stop_posting(now_ms)?,
        None => {}
    }
    if let Some(mode) = control.mode {
        channel.mode = mode;
    }
    Ok(Json(channel.status(now_ms)).into_response())
}

async fn status(State(app): State<App>) -> Response {
    Json(app.lock().status(now_ms())).into_response()
}

fn response(account: u32, answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).expect("the channel's codes are HTTP's");
    let mut response = match status {
        StatusCode::OK => {
            let page = answer.posts.iter();
            let page = page.map(|post| to_json(account, post, answer.since_ms));
            Json(page.collect::<Vec<_>>()).into_response()
        }
        StatusCode::UNAUTHORIZED => refusal(status, "The access token is invalid"),
        StatusCode::TOO_MANY_REQUESTS => refusal(status, "Too many requests"),
        _ => refusal(status, "Remote data could not be fetched"),
    };
    let headers = response.headers_mut();
    for (name, value) in rate_headers(&answer.rate) {
        headers.insert(name, value.parse().expect("digits and dates are ASCII"));
    }
    if let Some(wait_ms) = answer.retry_after_ms {
        let wait_s = wait_ms.max(0).unsigned_abs().div_ceil(1_000);
        headers.insert(header::RETRY_AFTER, wait_s.into());
    }
    response
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

/// As Mastodon names them, the reset as a date.
fn rate_headers(rate: &Rate) -> [(HeaderName, String); 3] {
    let name = HeaderName::from_static;
    [
        (name("x-ratelimit-limit"), rate.limit.to_string()),
        (name("x-ratelimit-remaining"), rate.remaining.to_string()),
        (name("x-ratelimit-reset"), date(rate.reset_ms)),
    ]
}

fn to_json(account: u32, post: &Post, since_ms: i64) -> serde_json::Value {
    let created_ms = since_ms.saturating_add_unsigned(post.offset_ms);
    json!({
        "id": post.id.to_string(),
        "created_at": date(created_ms),
        "account": { "id": account.to_string() },
        "content": format!("<p>Post {} of account {account}</p>", post.id),
    })
}

/// ISO 8601 in UTC.
fn date(at_ms: i64) -> String {
    let since_epoch = Duration::from_millis(at_ms.max(0).unsigned_abs());
    humantime::format_rfc3339_millis(UNIX_EPOCH + since_epoch).to_string()
}

/// The channel is no part of what it tests: it has a clock of its own.
#[expect(
    clippy::disallowed_methods,
    reason = "the only clock of the fake channel"
)]
fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.map_or(0, |passed| passed.as_millis() as i64)
}

impl App {
    fn lock(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log cannot be written: nothing must be sent that it does not hold.
struct Failed(anyhow::Error);

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        refusal(StatusCode::INTERNAL_SERVER_ERROR, &format!("{:#}", self.0))
    }
}
