//! A Mastodon on loopback, for tests: pages, limits and errors as the real one has them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

pub(crate) const TOKEN: &str = "t0ken";

/// The id of each account's first status; the next ones follow.
pub(crate) const FIRST_ID: u64 = 109_000_000_000_000_000;

/// What it does next: all accounts have so many statuses, and share so many calls.
pub(crate) struct Mastodon {
    pub(crate) statuses: u64,
    pub(crate) calls_left: u64,
    pub(crate) status: StatusCode,
    pub(crate) asked: Vec<String>,
}

pub(crate) type Shared = Arc<Mutex<Mastodon>>;

/// Starts one, and tells its address.
pub(crate) async fn start(statuses_there: u64) -> (Shared, String) {
    let mastodon = Arc::new(Mutex::new(Mastodon {
        statuses: statuses_there,
        calls_left: 300,
        status: StatusCode::OK,
        asked: Vec::new(),
    }));
    let router = Router::new()
        .route("/api/v1/accounts/{account}/statuses", get(statuses))
        .with_state(mastodon.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (mastodon, base)
}

/// Without `min_id` the newest page, with it the page directly above; each newest first.
async fn statuses(
    State(mastodon): State<Shared>,
    Path(account): Path<String>,
    Query(query): Query<BTreeMap<String, u64>>,
    headers: HeaderMap,
) -> Response {
    let mut mastodon = mastodon.lock().unwrap();
    mastodon.asked.push(format!("{account} {query:?}"));
    assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
    let refused = mastodon.calls_left == 0;
    mastodon.calls_left = mastodon.calls_left.saturating_sub(1);
    let limits = [
        ("date", "Sat, 01 Aug 2026 13:52:00 GMT".to_owned()),
        ("x-ratelimit-limit", "300".to_owned()),
        ("x-ratelimit-remaining", mastodon.calls_left.to_string()),
        (
            "x-ratelimit-reset",
            "2026-08-01T13:55:00.573789Z".to_owned(),
        ),
    ];
    if refused {
        let body = Json(json!({"error": "Too many requests"}));
        return (StatusCode::TOO_MANY_REQUESTS, limits, body).into_response();
    }
    if mastodon.status != StatusCode::OK {
        return (
            mastodon.status,
            limits,
            Json(json!({"error": "Record not found"})),
        )
            .into_response();
    }
    let all = FIRST_ID..FIRST_ID + mastodon.statuses;
    let limit = query["limit"] as usize;
    let page: Vec<u64> = match query.get("min_id") {
        Some(min_id) => all.filter(|id| id > min_id).take(limit).collect(),
        None => all
            .skip((mastodon.statuses as usize).saturating_sub(limit))
            .collect(),
    };
    let status = |id: &u64| {
        let created_at = "2026-08-01T13:50:00.000Z";
        json!({"id": id.to_string(), "created_at": created_at, "content": "<p>é</p>"})
    };
    let body: Vec<_> = page.iter().rev().map(status).collect();
    (limits, Json(body)).into_response()
}
