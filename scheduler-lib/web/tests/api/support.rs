//! A scheduler over memory, and calls to its admin server.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use polling_model::{Generator, ManualClock, SharedClock, SlotRing};
use polling_transport::{SharedQueue, memory::MemoryQueue};
use scheduler_lib::{Channel, MemoryStore, Scheduler, policy::JobTypeRules};
use scheduler_web::{Options, Web};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const JOBS: &str = "/v1/channels/mastodon/jobs";

/// A server, and the clock it goes by.
pub(crate) struct Server {
    pub(crate) router: Router,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) scheduler: Scheduler,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(settings: Options) -> Self {
        let store = MemoryStore::new(SlotRing::MINUTES, 1_800_000_000_000);
        Self::over(Arc::new(store), settings)
    }

    /// Over a store that a test has its hands in.
    pub(crate) fn over(store: Arc<MemoryStore>, settings: Options) -> Self {
        let clock = Arc::new(ManualClock::at(1_800_000_000_000));
        let shared: SharedClock = clock.clone();
        let queue =
            |name: &str| -> SharedQueue { MemoryQueue::builder(name, shared.clone()).build() };
        let rules = JobTypeRules::every(Duration::from_secs(300));
        let mut limited = rules.clone();
        let scope = json!({"scope": "account:{account}", "limit": {"calls": 300, "window": "15m"}});
        limited.scopes = vec![serde_json::from_value(scope).unwrap()];
        let channel = Channel::builder("mastodon".parse().unwrap(), store)
            .job_type("posts".parse().unwrap(), rules, queue("posts"))
            .job_type("likes".parse().unwrap(), limited, queue("likes"))
            .completed(queue("completed"))
            .dead_letter(queue("dead-letter"))
            .build()
            .unwrap();
        let scheduler = Scheduler::builder()
            .clock(shared.clone())
            .generator(Generator::from_seed(1))
            .channel(channel)
            .build();
        let router = Web::new(&scheduler, shared, settings).router();
        Self {
            router,
            clock,
            scheduler,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 16 * 1024 * 1024).await.unwrap();
        let body = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes).expect("every answer with a body is JSON"),
        };
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(body.into())
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.call(Method::POST, path, body).await
    }

    /// Registers posts of an account.
    pub(crate) async fn register(&self, account: &str) {
        let body = format!("{{\"job_type\":\"posts\",\"account\":\"{account}\"}}");
        let answer = self.post(JOBS, body).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
}

impl Answer {
    /// Asserts an error with its text and field.
    pub(crate) fn refused(&self, status: StatusCode, error: &str, field: Option<&str>) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.body["error"], error);
        assert_eq!(self.body.get("field").and_then(Value::as_str), field);
    }
}
