//! A scheduler over memory, and its console as people use it.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::StreamExt;
use polling_model::{Generator, JobId, ManualClock, SharedClock, SlotRing};
use polling_transport::{SharedQueue, memory::MemoryQueue};
use scheduler_lib::{
    Channel, MemoryStore, Registration, Registry, Scheduler,
    ledger::MemoryLedger,
    policy::JobTypeRules,
    store::{Hold, SlotStore},
};
use scheduler_web::{Options, Secret, User, Web, access::Role, settings::Steering};
use serde_json::json;
use tower::ServiceExt;

pub(crate) const NOW_MS: i64 = 1_800_000_000_000;

const SECRET: &str = "0123456789abcdef";

/// Markup, as somebody may have it in a name or in a message.
pub(crate) const MARKUP: &str = "<script>alert(1)</script>";

/// A console, and what is behind it.
pub(crate) struct Desk {
    pub(crate) router: Router,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) ledger: Arc<MemoryLedger>,
    pub(crate) work: SharedQueue,
    pub(crate) registry: Registry,
}

/// A page.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

/// Who looks.
#[derive(Clone, Copy)]
pub(crate) enum Who {
    Operator,
    Reader,
    Nobody,
}

impl Desk {
    pub(crate) fn open() -> Self {
        Self::with(None)
    }

    pub(crate) fn with(settings: Option<Arc<dyn Steering>>) -> Self {
        let clock: SharedClock = Arc::new(ManualClock::at(NOW_MS));
        let queue =
            |name: &str| -> SharedQueue { MemoryQueue::builder(name, clock.clone()).build() };
        let mut rules = JobTypeRules::every(Duration::from_secs(300));
        let scopes = json!([
            {"scope": "app", "limit": {"calls": 1000, "window": "1h"}, "cushion": "10%"},
            {"scope": "account:{account}", "limit": {"calls": 300, "window": "15m"}},
        ]);
        rules.scopes = serde_json::from_value(scopes).unwrap();
        let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, NOW_MS));
        let ledger = Arc::new(MemoryLedger::new());
        let work = queue("posts");
        let channel = Channel::builder("mastodon".parse().unwrap(), store.clone())
            .job_type("posts".parse().unwrap(), rules, work.clone())
            .completed(queue("completed"))
            .dead_letter(queue("dead-letter"))
            .ledger(ledger.clone())
            .build()
            .unwrap();
        let scheduler = Scheduler::builder()
            .clock(clock.clone())
            .generator(Generator::from_seed(1))
            .channel(channel)
            .build();
        let mut options = Options::default();
        for (name, role) in [("olga", Role::Operator), ("rita", Role::Reader)] {
            let user = User::new(role, Secret::new(format!("{SECRET}-{name}")));
            options.users.insert(name.to_owned(), user);
        }
        let web = Web::builder(&scheduler, clock).options(options);
        let web = match settings {
            Some(settings) => web.settings(settings),
            None => web,
        };
        Self {
            router: web.build().router(),
            registry: scheduler.registry(&"mastodon".parse().unwrap()).unwrap(),
            store,
            ledger,
            work,
        }
    }

    /// Registers posts of an account.
    pub(crate) async fn register(&self, account: &str) -> JobId {
        let job = Registration::new("posts".parse().unwrap(), account.parse().unwrap());
        self.registry.register(job).await.unwrap().0
    }

    /// Posts of an account, held.
    pub(crate) async fn hold(&self, account: &str, hold: Hold, reason: &str) -> JobId {
        let id = self.register(account).await;
        self.store.hold(&id, hold, reason).await.unwrap();
        id
    }

    pub(crate) async fn get(&self, who: Who, path: &str) -> Page {
        let request = of(who, Request::get(path)).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// A page that an operator sees.
    pub(crate) async fn see(&self, path: &str) -> Page {
        let page = self.get(Who::Operator, path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.html);
        page
    }

    /// What a stream tells first.
    pub(crate) async fn first_of(&self, path: &str) -> String {
        let request = of(Who::Operator, Request::get(path))
            .body(Body::empty())
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let mut body = response.into_body().into_data_stream();
        let first = body.next().await.unwrap().unwrap();
        String::from_utf8(first.to_vec()).unwrap()
    }

    /// Sends a form with these fields and nothing else.
    pub(crate) async fn post(&self, who: Who, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = serde_urlencoded::to_string(fields).unwrap();
        let request = of(who, Request::post(path))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// Sends a form as the page that it is on gave it.
    pub(crate) async fn fill(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.see(page).await;
        let (_, rest) = page.html.split_once("name=\"form\" value=\"").unwrap();
        let (seal, _) = rest.split_once('"').unwrap();
        let fields = [&[("form", seal)], fields].concat();
        self.post(Who::Operator, path, &fields).await
    }

    async fn send(&self, request: Request<Body>) -> Page {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 16 * 1024 * 1024).await.unwrap();
        Page {
            status: parts.status,
            headers: parts.headers,
            html: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}

fn of(who: Who, request: axum::http::request::Builder) -> axum::http::request::Builder {
    let name = match who {
        Who::Operator => "olga",
        Who::Reader => "rita",
        Who::Nobody => return request,
    };
    request.header(header::AUTHORIZATION, basic(name))
}

/// How somebody says who they are.
pub(crate) fn basic(name: &str) -> String {
    let encoded = BASE64_STANDARD.encode(format!("{name}:{SECRET}-{name}"));
    format!("Basic {encoded}")
}

impl Page {
    pub(crate) fn has(&self, text: &str) -> &Self {
        assert!(
            self.html.contains(text),
            "{text:?} is not in\n{}",
            self.html
        );
        self
    }

    pub(crate) fn lacks(&self, text: &str) -> &Self {
        assert!(!self.html.contains(text), "{text:?} is in\n{}", self.html);
        self
    }

    /// Where one is led.
    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.html);
        self.headers[header::LOCATION].to_str().unwrap()
    }
}
