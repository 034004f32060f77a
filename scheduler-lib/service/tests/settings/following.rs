//! A scheduler in memory whose settings change.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use polling_model::{Generator, ManualClock, SharedClock, SlotRing};
use polling_ops::{config::Current, health::checks};
use polling_transport::{SharedQueue, memory::MemoryQueue};
use scheduler::{
    config::Config,
    scaling::registries,
    settings::{self, Settings, Steered},
};
use scheduler_lib::{Channel, MemoryStore, Registry, Scheduler, ledger::Cushion};
use scheduler_web::Web;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

pub(crate) const CHANNEL: &str = r#"
[channels.mastodon]
store = "memory"
[channels.mastodon.job_types.posts]
interval = "5m"
[channels.mastodon.job_types.posts.levels.gold]
interval = "1m"
"#;

/// A scheduler in memory that follows sources until it is dropped.
pub(crate) struct Following {
    pub(crate) scheduler: Scheduler,
    pub(crate) settings: Settings,
    pub(crate) clock: SharedClock,
    pub(crate) config: Config,
    _stop: DropGuard,
}

impl Following {
    pub(crate) fn start(section: &str) -> Self {
        let config = Config::parse("s.toml", &format!("{section}{CHANNEL}"), []).unwrap();
        let clock: SharedClock = Arc::new(ManualClock::at(1_800_000_000_000));
        let scheduler = scheduler(&config, &clock);
        let stop = CancellationToken::new();
        let followed = settings::follow(&config, registries(&scheduler), &clock, &stop);
        Self {
            settings: followed.unwrap().expect("a source is named"),
            scheduler,
            clock,
            config,
            _stop: stop.drop_guard(),
        }
    }

    pub(crate) fn registry(&self) -> Registry {
        self.scheduler
            .registry(&"mastodon".parse().unwrap())
            .unwrap()
    }

    /// Waits until the scheduler itself goes by the cushion.
    pub(crate) async fn cushion_is(&self, cushion: Cushion) {
        let (registry, posts) = (self.registry(), "posts".parse().unwrap());
        let mut watch = self.settings.watch();
        let taken_up = async {
            while registry.rules(&posts).unwrap().cushion != cushion {
                let _ = timeout(Duration::from_millis(10), watch.changed()).await;
            }
        };
        timeout(Duration::from_secs(20), taken_up)
            .await
            .expect("in time");
    }

    pub(crate) async fn until(&self, holds: impl Fn(&Current<Steered>) -> bool) {
        let mut watch = self.settings.watch();
        let holds = watch.wait_for(|current| holds(current));
        timeout(Duration::from_secs(20), holds)
            .await
            .expect("in time")
            .unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, Value::Null).await.1
    }

    /// The answer's status and body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let web = Web::builder(&self.scheduler, Arc::clone(&self.clock))
            .options(self.config.admin.clone())
            .health(checks::settings(self.settings.followed()))
            .settings(Arc::new(self.settings.clone()))
            .build();
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = web.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1024 * 1024).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

fn scheduler(config: &Config, clock: &SharedClock) -> Scheduler {
    let queue =
        |name: &str| -> SharedQueue { MemoryQueue::builder(name, Arc::clone(clock)).build() };
    let (id, channel) = config.channels.iter().next().unwrap();
    let store = MemoryStore::new(SlotRing::MINUTES, clock.now_ms());
    let mut builder = Channel::builder(id.clone(), Arc::new(store))
        .limits(channel.limits.clone())
        .completed(queue("completed"))
        .dead_letter(queue("dead-letter"));
    for (job_type, rules) in &channel.job_types {
        builder = builder.job_type(job_type.clone(), rules.clone(), queue(job_type.as_str()));
    }
    Scheduler::builder()
        .clock(Arc::clone(clock))
        .channel(builder.build().unwrap())
        .build()
}

/// A file of this test's own.
pub(crate) struct File(pub(crate) PathBuf);

impl File {
    pub(crate) fn new() -> Self {
        let name = format!(
            "polling-settings-{:016x}.toml",
            Generator::from_os().next_u64()
        );
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn section(&self) -> String {
        format!("[settings]\nfile = {:?}\n", self.0)
    }

    pub(crate) fn write(&self, text: &str) {
        fs::write(&self.0, text).unwrap();
    }
}

impl File {
    /// Waits until it does.
    pub(crate) async fn contains(&self, text: &str) {
        let holds = async {
            while !fs::read_to_string(&self.0)
                .unwrap_or_default()
                .contains(text)
            {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(20), holds)
            .await
            .expect("in time");
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
