//! A channel: every account has a new item every second.

use axum::{
    Json, Router,
    extract::{Path, Query},
    routing::get,
};
use polling_core::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// An account's history, in items.
const HISTORY: u64 = 5;

#[derive(Deserialize)]
struct Asked {
    since_id: Option<u64>,
    max_id: Option<u64>,
    limit: usize,
}

#[derive(Serialize)]
struct Item {
    id: u64,
    created_ms: i64,
    text: String,
}

/// Serves it on loopback, and tells where.
pub(crate) async fn serve() -> anyhow::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new().route("/accounts/{account}/items", get(items));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

/// The newest items between `since_id` and `max_id`, newest first. An item's id is its second.
async fn items(Path(account): Path<String>, Query(asked): Query<Asked>) -> Json<Vec<Item>> {
    let newest = SystemClock.now_ms().unsigned_abs() / 1000;
    let oldest = asked.since_id.map_or(newest - HISTORY, |since| since + 1);
    let end = asked.max_id.unwrap_or(newest + 1).min(newest + 1);
    let item = |id: u64| Item {
        id,
        created_ms: id.cast_signed() * 1000,
        text: format!("item {id} of account {account}"),
    };
    let ids = (oldest..end).rev().take(asked.limit.min(100));
    Json(ids.map(item).collect())
}
