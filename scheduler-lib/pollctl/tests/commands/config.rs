//! Settings over the API, and defaults in a real Consul.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use polling_model::{Generator, SharedClock, SlotRing};
use polling_ops::config::{Check, Consul, Key};
use polling_transport::{SharedQueue, memory::MemoryQueue};
use scheduler::{config::Config, scaling::registries, settings};
use scheduler_lib::{Channel, MemoryStore, Scheduler};
use scheduler_web::Web;
use tokio::{net::TcpListener, time::sleep};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::{NOW_MS, Server};

const CHANNEL: &str = "
[channels.mastodon]
store = 'memory'
[channels.mastodon.job_types.posts]
interval = '5m'
";

/// Keys of a test's own in Consul.
struct Keys {
    address: String,
    prefix: String,
    consul: Consul,
}

impl Keys {
    fn new() -> Self {
        let address = std::env::var("POLLING_CONSUL_URL").expect("POLLING_CONSUL_URL is set");
        let prefix = format!("polling-test/{:016x}", Generator::from_os().next_u64());
        let consul = Consul::builder(&address).prefix(&prefix).build().unwrap();
        Self {
            address,
            prefix,
            consul,
        }
    }

    /// As a human would, straight into Consul.
    async fn set(&self, key: &str, text: &str) {
        let key: Key = key.parse().unwrap();
        let entry = self.consul.get(&key).await.unwrap();
        let check = entry.map_or(Check::Missing, |entry| Check::Unchanged(entry.modify_index));
        assert!(self.consul.put(&key, text, check).await.unwrap());
    }

    /// All that is there, as `key=value`.
    async fn all(&self) -> Vec<String> {
        let entries = self.consul.list().await.unwrap().into_iter();
        entries
            .map(|entry| format!("{}={}", entry.key, entry.text))
            .collect()
    }

    /// A scheduler that follows them, until the guard is dropped.
    async fn followed(&self) -> (Server, DropGuard) {
        let mut server = Server::start().await;
        let clock: SharedClock = server.clock.clone();
        let (address, prefix) = (&self.address, &self.prefix);
        let section = format!("[settings.consul]\naddress = {address:?}\nprefix = {prefix:?}\n");
        let config = Config::parse("s.toml", &format!("{section}{CHANNEL}"), []).unwrap();
        let scheduler = scheduler(&config, &clock);
        let stop = CancellationToken::new();
        let settings = settings::follow(&config, registries(&scheduler), &clock, &stop);
        let web = Web::builder(&scheduler, clock).settings(Arc::new(settings.unwrap().unwrap()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        server.url = format!("http://{}", listener.local_addr().unwrap());
        let router = web.build().router();
        tokio::spawn(scheduler_web::serve(listener, router, stop.clone()));
        (server, stop.drop_guard())
    }
}

fn scheduler(config: &Config, clock: &SharedClock) -> Scheduler {
    let queue =
        |name: &str| -> SharedQueue { MemoryQueue::builder(name, Arc::clone(clock)).build() };
    let (id, channel) = config.channels.iter().next().unwrap();
    let store = MemoryStore::new(SlotRing::MINUTES, NOW_MS);
    let mut builder = Channel::builder(id.clone(), Arc::new(store))
        .completed(queue("completed"))
        .dead_letter(queue("dead-letter"));
    for (job_type, rules) in &channel.job_types {
        builder = builder.job_type(job_type.clone(), rules.clone(), queue("posts"));
    }
    let builder = Scheduler::builder().channel(builder.build().unwrap());
    builder.clock(Arc::clone(clock)).build()
}

/// A file of a test's own.
struct File(PathBuf);

impl File {
    fn of(text: &str) -> Self {
        let name = format!(
            "pollctl-config-{:016x}.toml",
            Generator::from_os().next_u64()
        );
        let file = std::env::temp_dir().join(name);
        fs::write(&file, text).unwrap();
        Self(file)
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs a command until it tells this.
async fn until(server: &Server, command: &[&str], told: &str) {
    for _ in 0..500 {
        let done = server.run(command).await;
        if format!("{}{}", done.out, done.err).contains(told) {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("{told:?} is not told: {:?}", server.run(command).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_setting_is_changed_looked_at_and_given_up() {
    let keys = Keys::new();
    let (server, _stop) = keys.followed().await;
    // So that the prefix does not lose its last key at the end.
    keys.set("mastodon/posts/cost", "1").await;
    let cushion = "mastodon/posts/cushion";
    let told = server
        .told(&["config", "set", cushion, "50", "--reason", "too eager"])
        .await;
    assert_eq!(told, "mastodon/posts/cushion is 50\n");
    until(
        &server,
        &["config", "diff"],
        "mastodon/posts/cushion  50        0       consul 127.0.0.1",
    )
    .await;
    until(
        &server,
        &["config", "get", cushion],
        "in force   50, from consul 127.0.0.1",
    )
    .await;
    let all = server.told(&["config", "get"]).await;
    assert!(all.contains("mastodon/posts/interval"), "{all}");

    let refused = server
        .run(&["config", "set", cushion, "a few", "--reason", "x"])
        .await;
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.err.contains("value: "), "{refused:?}");
    let wrong = [
        "config",
        "set",
        cushion,
        "60",
        "--reason",
        "x",
        "--modify-index",
        "0",
    ];
    let conflict = server.run(&wrong).await;
    assert_eq!(conflict.code, 4, "{conflict:?}");
    assert!(
        conflict.err.contains("somebody else changed it"),
        "{conflict:?}"
    );
    let missing = server
        .run(&["config", "get", "mastodon/posts/cushoin"])
        .await;
    assert_eq!(missing.code, 3, "{missing:?}");

    server
        .told(&["config", "unset", cushion, "--reason", "calm"])
        .await;
    let history = server.told(&["config", "history", cushion]).await;
    let lines: Vec<_> = history.lines().collect();
    assert_eq!(
        lines,
        [
            "WHEN  WHO      FROM  TO  WHY",
            "now   anybody  50    -   calm",
            "now   anybody  -     50  too eager",
        ]
    );
    // A human's slip, straight into Consul.
    keys.set(cushion, "a few").await;
    until(&server, &["config", "get"], "a few: ").await;
    until(&server, &["config", "diff"], "a few: ").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn defaults_are_put_once_and_never_over_what_a_human_set() {
    let keys = Keys::new();
    let server = Server::start().await;
    let file = File::of("[mastodon.posts]\ncushion = 50\ncost = 2\n[alerts.calls]\nshare = '5%'\n");
    let load = [
        "config",
        "load",
        file.name(),
        "--consul",
        &keys.address,
        "--prefix",
        &keys.prefix,
    ];
    let apply = [&load[..], &["--apply"]].concat();

    let told = server.told(&load).await;
    assert!(
        told.ends_with("3 to put; nothing is written without --apply\n"),
        "{told}"
    );
    assert!(keys.all().await.is_empty());

    let told = server.told(&apply).await;
    assert!(told.ends_with("3 put\n"), "{told}");
    let all = [
        "alerts/calls/share=5%",
        "mastodon/posts/cost=2",
        "mastodon/posts/cushion=50",
    ];
    assert_eq!(keys.all().await, all);
    let told = server.told(&apply).await;
    assert_eq!(told, "3 as they are by default\n0 put\n", "twice is once");
    let past = keys
        .consul
        .history(&"mastodon/posts/cost".parse().unwrap())
        .await
        .unwrap();
    assert_eq!((past.len(), &*past[0].by), (1, "pollctl config load"));

    keys.set("mastodon/posts/cushion", "70").await;
    keys.set("mastodon/posts/colour", "red").await;
    let plan = server.json(&apply).await;
    assert_eq!(
        plan["plan"]["changed"]["mastodon/posts/cushion"]["there"],
        "70"
    );
    assert_eq!(plan["plan"]["stale"]["mastodon/posts/colour"], "red");
    assert_eq!(plan["plan"]["put"], serde_json::json!({}));
    let all = keys.all().await;
    assert!(
        all.contains(&"mastodon/posts/cushion=70".to_owned()),
        "{all:?}"
    );
    assert_eq!(all.len(), 4);
}

/// What stands in for the scheduler's own program, which has tests of its own.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn nothing_is_written_if_the_scheduler_would_refuse_a_default() {
    use std::os::unix::fs::PermissionsExt as _;
    let keys = Keys::new();
    let server = Server::start().await;
    let program = File::of(
        "#!/bin/sh\nread -r values\ncase $values in *mastodon/posts/cushion*) ;; *) exit 1 ;; esac\n\
         echo '{\"settings\": {}, \"others\": [], \"refused\": {\"mastodon/posts/cushion\": \"not so\"}}'\n",
    );
    fs::set_permissions(&program.0, fs::Permissions::from_mode(0o700)).unwrap();
    let file = File::of("[mastodon.posts]\ncushion = 'a few'\ncost = 2\n");
    let arguments = [
        "config",
        "load",
        file.name(),
        "--consul",
        &keys.address,
        "--prefix",
        &keys.prefix,
        "--config",
        "scheduler.toml",
        "--scheduler",
        program.name(),
        "--apply",
    ];
    let done = server.run(&arguments).await;
    assert_eq!(done.code, 1, "{done:?}");
    assert!(
        done.out
            .contains("mastodon/posts/cushion  wrong  a few           not so"),
        "{done:?}"
    );
    assert!(
        done.err
            .contains("1 of the defaults cannot take effect: nothing is written"),
        "{done:?}"
    );
    assert!(keys.all().await.is_empty());
}
