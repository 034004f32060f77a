//! A GitHub on loopback, for tests: tags, intervals and limits as the real one has them.

use std::sync::{Arc, Mutex};

use polling_core::test_util::{FakeChannel, Reply, Request};
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

/// Starts one; it ends when the channel is dropped.
pub(crate) async fn start(events_there: u64) -> (Shared, FakeChannel) {
    let github = Arc::new(Mutex::new(GitHub {
        events: (0..events_there).collect(),
        calls_left: 60,
        secondary_limit: false,
        poll_interval_s: 60,
        asked: Vec::new(),
    }));
    let shared = github.clone();
    let channel = FakeChannel::start(move |request| shared.lock().unwrap().answer(request));
    (github, channel.await.unwrap())
}

impl GitHub {
    fn answer(&mut self, request: &Request) -> Reply {
        let path = request.path.strip_prefix("/users/").unwrap();
        let user = path.strip_suffix("/events/public").unwrap();
        let page = request.number("page").unwrap();
        let etag = format!("\"{:?}\"", self.events.last());
        let (status, reply) = if self.secondary_limit {
            (
                403,
                refused().with_status(403).with_header("retry-after", "90"),
            )
        } else if request.header("if-none-match") == Some(&etag) {
            (304, Reply::status(304))
        } else if self.calls_left == 0 {
            (429, refused().with_status(429))
        } else {
            self.calls_left -= 1;
            (
                200,
                self.page(page as usize, request.number("per_page").unwrap() as usize),
            )
        };
        self.asked.push(format!("{user} {page}: {status}"));
        reply
            .with_header("date", "Sat, 01 Aug 2026 13:52:00 GMT")
            .with_header("etag", etag)
            .with_header("x-poll-interval", self.poll_interval_s.to_string())
            .with_header("x-ratelimit-limit", "60")
            .with_header("x-ratelimit-remaining", self.calls_left.to_string())
            .with_header("x-ratelimit-reset", "1785592920")
    }

    fn page(&self, page: usize, size: usize) -> Reply {
        let shown = self.events.iter().rev().skip((page - 1) * size).take(size);
        let event = |id: &u64| {
            let created_at = "2026-08-01T13:50:00Z";
            json!({"id": id.to_string(), "type": "PushEvent", "created_at": created_at})
        };
        let reply = Reply::json(json!(shown.map(event).collect::<Vec<_>>()).to_string());
        if page * size >= self.events.len() {
            return reply;
        }
        let link = format!(
            "<https://a.example>; rel=\"first\", <?page={}>; rel=\"next\"",
            page + 1
        );
        reply.with_header("link", link)
    }
}

fn refused() -> Reply {
    Reply::json(r#"{"message":"API rate limit exceeded"}"#)
}
