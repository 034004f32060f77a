//! A GitHub on loopback, for tests: tags, intervals and limits as the real one has them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

/// What it does next: all users have this timeline, newest last, and share so many calls.
pub(crate) struct GitHub {
    pub(crate) events: Vec<u64>,
    pub(crate) calls_left: u64,
    pub(crate) secondary_limit: bool,
    pub(crate) poll_interval_s: u32,
    pub(crate) asked: Vec<String>,
}

pub(crate) type Shared = Arc<Mutex<GitHub>>;

/// Starts one, and tells its address.
pub(crate) async fn start(events_there: u64) -> (Shared, String) {
    let github = Arc::new(Mutex::new(GitHub {
        events: (0..events_there).collect(),
        calls_left: 60,
        secondary_limit: false,
        poll_interval_s: 60,
        asked: Vec::new(),
    }));
    let router = Router::new()
        .route("/users/{user}/events/public", get(events))
        .with_state(github.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (github, base)
}

async fn events(
    State(github): State<Shared>,
    Path(user): Path<String>,
    Query(query): Query<BTreeMap<String, usize>>,
    headers: HeaderMap,
) -> Response {
    let mut github = github.lock().unwrap();
    let etag = format!("\"{:?}\"", github.events.last());
    let (page, size) = (query["page"], query["per_page"]);
    let unchanged = headers
        .get("if-none-match")
        .is_some_and(|tag| tag == etag.as_str());
    let answer = if github.secondary_limit {
        403
    } else if unchanged {
        304
    } else if github.calls_left == 0 {
        429
    } else {
        github.calls_left -= 1;
        200
    };
    github.asked.push(format!("{user} {page}: {answer}"));
    let last = github.events.len().div_ceil(size).max(1);
    let mut head = HeaderMap::new();
    for (name, value) in [
        ("date", "Sat, 01 Aug 2026 13:52:00 GMT".to_owned()),
        ("x-poll-interval", github.poll_interval_s.to_string()),
        ("x-ratelimit-limit", "60".to_owned()),
        ("x-ratelimit-remaining", github.calls_left.to_string()),
        ("x-ratelimit-reset", "1785592920".to_owned()),
        ("etag", etag),
        (
            "link",
            format!(
                "<https://evil.example>; rel=\"first\", <?page={}>; rel=\"next\"",
                page + 1
            ),
        ),
        ("retry-after", "90".to_owned()),
    ] {
        let there = match name {
            "link" => page < last,
            "retry-after" => answer == 403,
            _ => true,
        };
        if there {
            head.insert(
                HeaderName::from_static(name),
                HeaderValue::try_from(value).unwrap(),
            );
        }
    }
    let shown = github
        .events
        .iter()
        .rev()
        .skip((page - 1) * size)
        .take(size);
    let event = |id: &u64| json!({"id": id.to_string(), "type": "PushEvent", "created_at": "2026-08-01T13:50:00Z"});
    let body: Vec<_> = shown.map(event).collect();
    let status = StatusCode::from_u16(answer).unwrap();
    match answer {
        200 => (status, head, Json(body)).into_response(),
        304 => (status, head).into_response(),
        _ => (
            status,
            head,
            Json(json!({"message": "API rate limit exceeded"})),
        )
            .into_response(),
    }
}
