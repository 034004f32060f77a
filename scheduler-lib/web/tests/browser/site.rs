//! A scheduler that runs, in memory, with its worker and its console on loopback.

use std::{sync::Arc, time::Duration};

use polling_browser::{Browser, Looks, Page};
use polling_model::{
    Completion, ErrorClass, Failure, Job, Outcome, SharedClock, SlotRing, SystemClock, wire,
};
use polling_transport::{SharedQueue, memory::MemoryQueue};
use scheduler_lib::{
    Channel, Limits, MemoryStore, Registration, Registry, Scheduler, policy::JobTypeRules,
};
use scheduler_web::{Options, Recent, Secret, User, Web, access::Role};
use serde_json::json;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::steering::Kept;

/// The operator's secret.
pub(crate) const OPERATOR: &str = "an operator of this test";

/// The secret of `rita`, who only looks.
const READER: &str = "a reader of this test";

/// What would run if any page took it for markup.
pub(crate) const MARKUP: &str =
    "<img src=x onerror=alert(1)><script>alert(2)</script>\"'><b id=injected>";

/// Somebody whose first poll finds more than it can fetch.
const BURSTING: &str = "9";

/// Somebody whose polls fail, in words of their own.
const FAILING: &str = "404";

pub(crate) struct Site {
    pub(crate) address: String,
    pub(crate) registry: Registry,
    pub(crate) settings: Arc<Kept>,
    _stop: DropGuard,
}

impl Site {
    /// With some jobs in every state, and a message that nobody can read.
    pub(crate) async fn start() -> Self {
        let site = Self::with(SlotRing::SECONDS, Limits::of_seconds()).await;
        let jobs = (1..=60).map(|number| job("posts", number));
        site.registry.register_all(jobs.collect()).await.unwrap();
        let mut odd = job("likes", 404);
        odd.context.insert("name", MARKUP);
        site.registry.register(odd).await.unwrap();
        for number in [7, 8] {
            let id = format!("posts:{number}").parse().unwrap();
            site.registry.pause(&id).await.unwrap();
        }
        site
    }

    /// Without jobs.
    pub(crate) async fn with(ring: SlotRing, limits: Limits) -> Self {
        let clock: SharedClock = Arc::new(SystemClock);
        let queue =
            |name: &str| -> SharedQueue { MemoryQueue::builder(name, Arc::clone(&clock)).build() };
        let (posts, likes) = (queue("posts"), queue("likes"));
        let (completed, dead_letter) = (queue("completed"), queue("dead-letter"));
        let store = Arc::new(MemoryStore::new(ring, clock.now_ms()));
        let rules = JobTypeRules::every(Duration::from_secs(600));
        let mut limited = rules.clone();
        let scope =
            json!([{"scope": "account:{account}", "limit": {"calls": 300, "window": "15m"}}]);
        limited.scopes = serde_json::from_value(scope).unwrap();
        let channel = Channel::builder("mastodon".parse().unwrap(), store)
            .job_type("posts".parse().unwrap(), rules, Arc::clone(&posts))
            .job_type("likes".parse().unwrap(), limited, Arc::clone(&likes))
            .completed(Arc::clone(&completed))
            .dead_letter(Arc::clone(&dead_letter))
            .limits(limits)
            .build()
            .unwrap();
        let recent = Arc::new(Recent::new(Arc::clone(&clock)));
        let scheduler = Scheduler::builder()
            .clock(Arc::clone(&clock))
            .observer(recent.clone())
            .channel(channel)
            .build();
        let registry = scheduler.registry(&"mastodon".parse().unwrap()).unwrap();
        let settings = Arc::new(Kept::of(registry.clone(), Arc::clone(&clock)));

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut options = Options::default();
        options.listen = listener.local_addr().unwrap();
        options.token = Some(Secret::new(OPERATOR));
        let reader = User::new(Role::Reader, Secret::new(READER));
        options.users.insert("rita".to_owned(), reader);
        let address = format!("http://{}", options.listen);
        let web = Web::builder(&scheduler, Arc::clone(&clock))
            .options(options)
            .recent(recent)
            .settings(settings.clone())
            .build();

        let stop = CancellationToken::new();
        tokio::spawn(scheduler_web::serve(listener, web.router(), stop.clone()));
        for queue in [posts, likes] {
            let work = work(queue, Arc::clone(&completed), Arc::clone(&clock));
            tokio::spawn(stop.clone().run_until_cancelled_owned(work));
        }
        tokio::spawn(scheduler.run(stop.clone().cancelled_owned()));
        dead_letter.send(vec![format!("{MARKUP}, no job")]).await;
        Self {
            address,
            registry,
            settings,
            _stop: stop.drop_guard(),
        }
    }

    /// Waits until an account has burst.
    pub(crate) async fn burst(&self) {
        let id = format!("posts:{BURSTING}").parse().unwrap();
        self.registry.run_now(&id).await.unwrap();
        let burst = async {
            while self.registry.bursts(1).await.unwrap().is_empty() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(30), burst)
            .await
            .expect("in time");
    }

    /// The address of a page.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/console/{path}", self.address)
    }

    /// A page after somebody has logged in with the secret, by a link.
    pub(crate) async fn enter(&self, browser: &Browser, secret: &str, looks: Looks) -> Page {
        let page = browser.open(looks).await.unwrap();
        let link = self.url(&format!(
            "login?to=%2Fconsole%2Fhealth#{}",
            secret.replace(' ', "%20")
        ));
        page.go(&link).await.unwrap();
        page.until("location.pathname === '/console/health' && document.readyState === 'complete'")
            .await
            .unwrap();
        page
    }

    /// A page of the operator.
    pub(crate) async fn operate(&self, browser: &Browser) -> Page {
        self.enter(browser, OPERATOR, Looks::default()).await
    }

    /// A page of somebody who only looks.
    pub(crate) async fn read(&self, browser: &Browser) -> Page {
        self.enter(browser, READER, Looks::default()).await
    }
}

/// Posts or likes of an account.
pub(crate) fn job(job_type: &str, account: u32) -> Registration {
    let job_type = job_type.parse().unwrap();
    Registration::new(job_type, account.to_string().parse().unwrap())
}

/// Polls what comes; nothing is found.
async fn work(queue: SharedQueue, completed: SharedQueue, clock: SharedClock) {
    loop {
        let messages = queue.receive(100, Duration::from_secs(1)).await;
        for message in messages.unwrap() {
            if let Ok(job) = wire::decode_job(message.body.as_bytes()) {
                let done = wire::encode_completion(&polled(job, clock.now_ms())).unwrap();
                completed.send(vec![done]).await;
            }
            queue.ack(&message.receipt).await.unwrap();
        }
    }
}

fn polled(mut job: Job, finished_ms: i64) -> Completion {
    let bursts = job.account.as_str() == BURSTING && job.context.get("burst").is_none();
    if bursts {
        job.context.insert("burst", true);
    }
    let outcome = match job.account.as_str() == FAILING {
        true => Outcome::Failed {
            failure: Failure::new(ErrorClass::Transient, MARKUP),
        },
        false => Outcome::Succeeded {
            context: job.context,
            stopped: None,
        },
    };
    Completion {
        id: job.id,
        job_type: job.job_type,
        token: job.token,
        outcome,
        allowances: Vec::new(),
        saturated: bursts,
        events: if bursts { 40 } else { 0 },
        created_ms: Vec::new(),
        calls: 1,
        finished_ms,
        sent_ms: None,
    }
}
