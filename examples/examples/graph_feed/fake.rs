//! A Graph API on loopback, for tests: page tokens, percentages and error codes as the real one
//! has them.

use std::sync::{Arc, Mutex};

use polling_core::test_util::{FakeChannel, Reply, Request};
use serde_json::json;

pub(crate) const TOKEN: &str = "t0ken";

/// Calls of a window.
const CALLS: u64 = 100;

/// What it does next: all pages have so many posts, numbered from 0, and share so many calls.
pub(crate) struct Graph {
    pub(crate) posts: u64,
    pub(crate) calls_left: Option<u64>,
    pub(crate) error: Option<u32>,
    pub(crate) asked: Vec<String>,
}

pub(crate) type Shared = Arc<Mutex<Graph>>;

/// Starts one; it ends when the channel is dropped.
pub(crate) async fn start(posts_there: u64) -> (Shared, FakeChannel) {
    let graph = Arc::new(Mutex::new(Graph {
        posts: posts_there,
        calls_left: None,
        error: None,
        asked: Vec::new(),
    }));
    let shared = graph.clone();
    let channel = FakeChannel::start(move |request| shared.lock().unwrap().answer(request));
    (graph, channel.await.unwrap())
}

impl Graph {
    fn answer(&mut self, request: &Request) -> Reply {
        let page = request
            .path
            .trim_start_matches('/')
            .strip_suffix("/feed")
            .unwrap();
        self.asked.push(format!("{page} {}", request.query));
        assert_eq!(
            request.header("authorization").unwrap(),
            format!("Bearer {TOKEN}")
        );
        let refused = self.calls_left == Some(0);
        let reply = match self.error {
            _ if refused => error(32),
            Some(code) => error(code),
            None => self.feed(
                page,
                request.param("after"),
                request.number("limit").unwrap(),
            ),
        };
        let left = self.calls_left.unwrap_or(CALLS);
        self.calls_left = self.calls_left.map(|left| left.saturating_sub(1));
        let minutes = if refused { 19 } else { 0 };
        let used = json!({"type": "pages", "call_count": CALLS.saturating_sub(left), "total_time": 3,
            "total_cputime": 2.5, "estimated_time_to_regain_access": minutes});
        reply.with_header(
            "x-business-use-case-usage",
            json!({page: [used]}).to_string(),
        )
    }

    /// The page below the one that ended with `after`, newest first.
    fn feed(&self, page: &str, after: Option<&str>, limit: u64) -> Reply {
        let end = after.map_or(self.posts, |token| {
            token.strip_prefix("QVFI").unwrap().parse().unwrap()
        });
        let first = end.saturating_sub(limit);
        let post = |n: u64| {
            let created = "2023-11-14T10:00:00+0000";
            json!({"id": format!("{page}_{n}"), "created_time": created, "message": "é"})
        };
        let mut feed = json!({"data": (first..end).rev().map(post).collect::<Vec<_>>()});
        if first < end {
            feed["paging"] =
                json!({"cursors": {"before": "QVFIx", "after": format!("QVFI{first}")}});
        }
        if first > 0 {
            feed["paging"]["next"] = json!("https://graph.example/feed?access_token=s3cret");
        }
        Reply::json(feed.to_string())
    }
}

fn error(code: u32) -> Reply {
    let error = json!({"error": {"message": "no", "type": "OAuthException", "code": code}});
    Reply::json(error.to_string()).with_status(400)
}
