//! A Mastodon on loopback, for tests: pages, limits and errors as the real one has them.

use std::sync::{Arc, Mutex};

use polling_core::test_util::{FakeChannel, Reply, Request};
use serde_json::json;

pub(crate) const TOKEN: &str = "t0ken";

/// The id of each account's first status; the next ones follow.
pub(crate) const FIRST_ID: u64 = 109_000_000_000_000_000;

/// What it does next: all accounts have so many statuses, and share so many calls.
pub(crate) struct Mastodon {
    pub(crate) statuses: u64,
    pub(crate) calls_left: u64,
    pub(crate) status: u16,
    pub(crate) asked: Vec<String>,
}

pub(crate) type Shared = Arc<Mutex<Mastodon>>;

/// Starts one; it ends when the channel is dropped.
pub(crate) async fn start(statuses_there: u64) -> (Shared, FakeChannel) {
    let mastodon = Arc::new(Mutex::new(Mastodon {
        statuses: statuses_there,
        calls_left: 300,
        status: 200,
        asked: Vec::new(),
    }));
    let shared = mastodon.clone();
    let channel = FakeChannel::start(move |request| shared.lock().unwrap().answer(request));
    (mastodon, channel.await.unwrap())
}

impl Mastodon {
    fn answer(&mut self, request: &Request) -> Reply {
        let path = request.path.strip_prefix("/api/v1/accounts/").unwrap();
        let account = path.strip_suffix("/statuses").unwrap();
        self.asked.push(format!("{account} {}", request.query));
        assert_eq!(
            request.header("authorization").unwrap(),
            format!("Bearer {TOKEN}")
        );
        let reply = if self.calls_left == 0 {
            Reply::json(r#"{"error":"Too many requests"}"#).with_status(429)
        } else if self.status != 200 {
            Reply::json(r#"{"error":"Record not found"}"#).with_status(self.status)
        } else {
            self.page(request.number("min_id"), request.number("limit").unwrap())
        };
        self.calls_left = self.calls_left.saturating_sub(1);
        reply
            .with_header("date", "Tue, 14 Nov 2023 22:15:20 GMT")
            .with_header("x-ratelimit-limit", "300")
            .with_header("x-ratelimit-remaining", self.calls_left.to_string())
            .with_header("x-ratelimit-reset", "2023-11-14T22:18:20.573789Z")
    }

    /// Without `min_id` the newest page, with it the page directly above; each newest first.
    fn page(&self, min_id: Option<u64>, limit: u64) -> Reply {
        let end = FIRST_ID + self.statuses;
        let page = match min_id {
            Some(min_id) => {
                let first = FIRST_ID.max(min_id + 1);
                first..end.min(first + limit)
            }
            None => FIRST_ID.max(end.saturating_sub(limit))..end,
        };
        let status = |id: u64| {
            let created_at = "2023-11-14T22:13:20.000Z";
            json!({"id": id.to_string(), "created_at": created_at, "content": "<p>é</p>"})
        };
        Reply::json(json!(page.rev().map(status).collect::<Vec<_>>()).to_string())
    }
}
