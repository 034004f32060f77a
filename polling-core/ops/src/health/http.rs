//! Health over HTTP.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json, Router,
    extract::State as Extract,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use serde::Serialize;
use tokio::net::TcpListener;

use super::{CheckReport, Health, Report};
use crate::serve::serve;

/// Longest time from a connection's opening, or from its last answer, to the end of a request's
/// headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Answer<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    stopping: bool,
    checks: BTreeMap<&'a str, CheckAnswer<'a>>,
}

#[derive(Serialize)]
struct CheckAnswer<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// Since it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_ms: Option<i64>,
    /// Since when it has been in this state, UTC milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    since_ms: Option<i64>,
    took_ms: u64,
}

impl Health {
    /// `/healthz` for liveness and `/readyz` for readiness, to merge into a router of any state:
    /// 200, or 503 when a check fails, with each check's state, reason and age as JSON.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use axum::{Router, routing::get};
    /// # use polling_ops::health::Health;
    /// # let health = Health::builder(Arc::new(polling_model::SystemClock)).build().unwrap();
    /// let router: Router = Router::new()
    ///     .route("/", get(|| async { "my service" }))
    ///     .merge(health.router()); // the line to add
    /// ```
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .with_state(self.clone())
    }

    /// Answers at a port of its own until `stop` resolves. [`MAX_CONNECTIONS`](super::MAX_CONNECTIONS)
    /// bounds the connections.
    pub async fn serve_http(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let router: Router = self.router();
        let connect = |stream| {
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .serve_connection(
                    TokioIo::new(stream),
                    TowerToHyperService::new(router.clone()),
                )
        };
        serve(listener, stop, connect).await;
    }
}

async fn healthz(Extract(health): Extract<Health>) -> Response {
    answer(&health, &health.liveness().await)
}

async fn readyz(Extract(health): Extract<Health>) -> Response {
    answer(&health, &health.readiness().await)
}

fn answer(health: &Health, report: &Report) -> Response {
    let now_ms = health.clock().now_ms();
    let checks = report.checks.iter();
    let body = Answer {
        state: report.state().as_str(),
        stopping: report.stopping,
        checks: checks
            .map(|(name, check)| (name.as_str(), CheckAnswer::new(check, now_ms)))
            .collect(),
    };
    let status = if report.serves() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

impl<'a> CheckAnswer<'a> {
    fn new(check: &'a CheckReport, now_ms: i64) -> Self {
        Self {
            state: check.state.as_str(),
            reason: check.reason.as_deref(),
            // A clock that was set back makes nothing younger than new.
            age_ms: check.checked_ms.map(|at_ms| (now_ms - at_ms).max(0)),
            since_ms: check.since_ms,
            took_ms: check.took_ms,
        }
    }
}

// serde passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(flag: &bool) -> bool {
    !flag
}
