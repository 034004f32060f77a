//! A Graph API on loopback, for tests: page tokens, percentages and error codes as the real one
//! has them.

use std::sync::{Arc, Mutex};

use polling_core::test_util::{FakeChannel, Reply, Request};
use serde_json::json;

/// Of the user who manages all pages.
pub(crate) const USER_TOKEN: &str = "us3r";

/// Calls of a window.
const CALLS: u64 = 100;

/// What it does next: all pages have so many posts, numbered from 0, and share so many calls.
pub(crate) struct Graph {
    pub(crate) posts: u64,
    pub(crate) calls_left: Option<u64>,
    /// Per cent of the app's calls that are used up.
    pub(crate) app_used: u64,
    /// The code and subcode of every feed.
    pub(crate) error: Option<(u32, u32)>,
    /// The same of every token.
    pub(crate) token_error: Option<(u32, u32)>,
    /// Tokens of pages are good until this changes.
    pub(crate) secret: String,
    /// Page tokens are good until this changes.
    pub(crate) index: u64,
    pub(crate) asked: Vec<String>,
}

pub(crate) type Shared = Arc<Mutex<Graph>>;

/// Starts one; it ends when the channel is dropped.
pub(crate) async fn start(posts_there: u64) -> (Shared, FakeChannel) {
    let graph = Arc::new(Mutex::new(Graph {
        posts: posts_there,
        calls_left: None,
        app_used: 28,
        error: None,
        token_error: None,
        secret: "s3cret".to_owned(),
        index: 1,
        asked: Vec::new(),
    }));
    let shared = graph.clone();
    let channel = FakeChannel::start(move |request| shared.lock().unwrap().answer(request));
    (graph, channel.await.unwrap())
}

impl Graph {
    fn answer(&mut self, request: &Request) -> Reply {
        let path = request.path.trim_start_matches('/');
        let bearer = request.header("authorization").unwrap();
        let bearer = bearer.strip_prefix("Bearer ").unwrap();
        match path.strip_suffix("/feed") {
            Some(page) => {
                self.asked.push(format!("{page} {}", request.query));
                self.feed_or_error(page, bearer, request)
            }
            None => {
                self.asked.push(format!("{path} {}", request.query));
                assert_eq!(bearer, USER_TOKEN);
                let token = json!({"access_token": self.token(path), "id": path});
                let error = self.token_error.map(error);
                error.unwrap_or_else(|| Reply::json(token.to_string()))
            }
        }
    }

    fn token(&self, page: &str) -> String {
        format!("{}-{page}", self.secret)
    }

    fn feed_or_error(&mut self, page: &str, bearer: &str, request: &Request) -> Reply {
        let refused = self.calls_left == Some(0);
        let reply = if refused {
            error((80001, 0))
        } else if self.app_used >= 100 {
            error((4, 0)).with_status(403)
        } else if bearer != self.token(page) {
            error((190, 463))
        } else if let Some(code) = self.error {
            error(code)
        } else {
            let limit = request.number("limit").unwrap();
            self.feed(page, request.param("after"), limit)
        };
        let left = self.calls_left.unwrap_or(CALLS);
        self.calls_left = self.calls_left.map(|left| left.saturating_sub(1));
        let minutes = if refused { 19 } else { 0 };
        let of_page = json!({"type": "pages", "call_count": CALLS.saturating_sub(left), "total_time": 3,
            "total_cputime": 2.5, "estimated_time_to_regain_access": minutes});
        let of_app = json!({"call_count": self.app_used, "total_time": 25, "total_cputime": 25});
        reply
            .with_header("x-app-usage", of_app.to_string())
            .with_header(
                "x-business-use-case-usage",
                json!({page: [of_page]}).to_string(),
            )
    }

    /// The page below the one that ended with `after`, newest first.
    fn feed(&self, page: &str, after: Option<&str>, limit: u64) -> Reply {
        let index = format!("QVFI{}x", self.index);
        let end = match after.map(|token| token.strip_prefix(&index)) {
            None => self.posts,
            Some(Some(end)) => end.parse().unwrap(),
            Some(None) => return error((2642, 0)),
        };
        let first = end.saturating_sub(limit);
        let post = |n: u64| {
            let created = "2023-11-14T10:00:00+0000";
            json!({"id": format!("{page}_{n}"), "created_time": created, "message": "é"})
        };
        let mut feed = json!({"data": (first..end).rev().map(post).collect::<Vec<_>>()});
        if first < end {
            let after = format!("{index}{first}");
            feed["paging"] =
                json!({"cursors": {"before": format!("{index}{end}"), "after": after}});
        }
        if first > 0 {
            let next = format!(
                "https://graph.example/feed?access_token={}",
                self.token(page)
            );
            feed["paging"]["next"] = json!(next);
        }
        Reply::json(feed.to_string())
    }
}

fn error((code, subcode): (u32, u32)) -> Reply {
    let error = json!({"message": "no", "type": "OAuthException", "code": code,
        "error_subcode": subcode, "fbtrace_id": "EJplcsCHuLu"});
    Reply::json(json!({"error": error}).to_string()).with_status(400)
}
