//! A scheduler over memory that serves its admin API on loopback, and a console to operate it from.

use std::{sync::Arc, time::Duration};

use clap::Parser;
use pollctl::{Cli, Io, Token};
use polling_model::{Generator, ManualClock, SharedClock, SlotRing};
use polling_transport::{SharedQueue, memory::MemoryQueue};
use scheduler::{
    check,
    config::{Admin, Config, Scaling},
    scaling::{self, Decisions},
};
use scheduler_lib::{Channel, MemoryStore, Scheduler, policy::JobTypeRules};
use scheduler_web::Web;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) const NOW_MS: i64 = 1_800_000_000_000;

/// A running admin server, and what a test looks into; it stops with the value.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) work: SharedQueue,
    /// How many workers there should be.
    pub(crate) decisions: Decisions,
    stop: CancellationToken,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Server {
    /// One channel, `mastodon`.
    pub(crate) async fn start() -> Self {
        Self::with(&["mastodon"], Admin::default(), None).await
    }

    /// Channels that share nothing but the server; the last one's store and work queue are kept.
    pub(crate) async fn with(channels: &[&str], settings: Admin, config: Option<Config>) -> Self {
        let clock = Arc::new(ManualClock::at(NOW_MS));
        let shared: SharedClock = clock.clone();
        let queue =
            |name: &str| -> SharedQueue { MemoryQueue::builder(name, shared.clone()).build() };
        let rules = JobTypeRules::every(Duration::from_secs(300));
        let mut limited = rules.clone();
        let scope = json!({"scope": "account:{account}", "limit": {"calls": 300, "window": "15m"}});
        limited.scopes = vec![serde_json::from_value(scope).unwrap()];
        let mut builder = Scheduler::builder()
            .clock(shared.clone())
            .generator(Generator::from_seed(1));
        let mut last = None;
        for name in channels {
            let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, NOW_MS));
            let work = queue("posts");
            let channel = Channel::builder(name.parse().unwrap(), store.clone())
                .job_type("posts".parse().unwrap(), rules.clone(), work.clone())
                .job_type("likes".parse().unwrap(), limited.clone(), queue("likes"))
                .completed(queue("completed"))
                .dead_letter(queue("dead-letter"))
                .build();
            builder = builder.channel(channel.unwrap());
            last = Some((store, work));
        }
        let (store, work) = last.unwrap();
        let decisions = Decisions::new(&Scaling::default());
        let told = scaling::told(decisions.clone(), shared.clone());
        let mut web = Web::builder(&builder.build(), shared.clone())
            .options(settings)
            .scaling(told);
        if let Some(config) = config {
            web = web.check(check::of(config, shared));
        }
        let router = web.build().router();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(scheduler_web::serve(listener, router, stop.clone()));
        Self {
            url,
            clock,
            store,
            work,
            decisions,
            stop,
        }
    }

    /// Runs a command.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, "", None).await
    }

    /// Runs a command that ends well; what it told.
    pub(crate) async fn told(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments).await;
        assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
        done.out
    }

    /// Runs a command, and reads the JSON that it tells.
    pub(crate) async fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        serde_json::from_str(&self.told(&arguments).await).unwrap()
    }

    pub(crate) async fn run_with(
        &self,
        arguments: &[&str],
        input: &str,
        token: Option<Token>,
    ) -> Done {
        let program = ["pollctl", "--url", &self.url];
        let cli = Cli::try_parse_from(program.iter().chain(arguments)).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let io = Io {
            out: &mut out,
            err: &mut err,
            input: &mut input.as_bytes(),
            colours: false,
            asks: !input.is_empty(),
            progress: false,
            token,
            clock: self.clock.clone(),
        };
        let code = cli.execute(io).await;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done {
            code,
            out: text(out),
            err: text(err),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
