//! A scheduler that runs on real servers, and the doctor as an operator calls it.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
};

use polling_model::{Clock, Generator, SharedClock, SystemClock};
use polling_ops::metrics::Metrics;
use scheduler::{assemble::assemble, check, config::Config, servers::create_queues};
use scheduler_web::Web;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, net::TcpListener, process::Command, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::own_server::{OwnServer, eventually};

/// A clock that can be set wrong.
#[derive(Debug, Default)]
pub(crate) struct WrongClock(pub(crate) AtomicI64);

impl Clock for WrongClock {
    fn now_ms(&self) -> i64 {
        SystemClock.now_ms() + self.0.load(Relaxed)
    }
}

/// A channel that is served, all well.
pub(crate) struct Scene {
    pub(crate) channel: String,
    pub(crate) redis: OwnServer,
    /// By which the admin server reckons.
    pub(crate) clock: Arc<WrongClock>,
    url: String,
    stop: CancellationToken,
    scheduler: JoinHandle<()>,
}

/// What the doctor told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) text: String,
    json: Value,
}

impl Scene {
    /// Store and queues on a Redis of its own.
    pub(crate) async fn start() -> Self {
        Self::on(OwnServer::start(&[]).await).await
    }

    pub(crate) async fn on(redis: OwnServer) -> Self {
        let channel = format!("test-{}", Generator::from_os().nonce());
        let config = config(&channel, &redis.url(), "transport = \"redis\"", "");
        Self::with(redis, channel, &config).await
    }

    /// Its queues on SQS.
    pub(crate) async fn on_sqs() -> Self {
        let redis = OwnServer::start(&[]).await;
        let channel = format!("test-{}", Generator::from_os().nonce());
        let config = config(&channel, &redis.url(), "", &endpoint());
        Self::with(redis, channel, &config).await
    }

    async fn with(redis: OwnServer, channel: String, text: &str) -> Self {
        let config = Config::parse("s.toml", text, []).unwrap();
        for created in create_queues(&config).await {
            created.result.unwrap();
        }
        let clock = Arc::new(WrongClock::default());
        let (url, stop, scheduler) = serve(&config, clock.clone()).await;
        let scene = Self {
            channel,
            redis,
            clock,
            url,
            stop,
            scheduler,
        };
        eventually("the doctor finds nothing", async || {
            let told = scene.doctor().await;
            told.code == 0 && told.json["findings"].as_array().unwrap().is_empty()
        })
        .await;
        scene
    }

    /// The same channel, served with another configuration.
    pub(crate) async fn again(mut self, text: &str) -> Self {
        self.stop.cancel();
        (&mut self.scheduler).await.unwrap();
        let config = Config::parse("s.toml", text, []).unwrap();
        (self.url, self.stop, self.scheduler) = serve(&config, self.clock.clone()).await;
        self
    }

    /// The name of one of its queues.
    pub(crate) fn queue(&self, ending: &str) -> String {
        format!("polling-{}-{ending}", self.channel)
    }

    /// Runs the doctor, for people and as JSON.
    pub(crate) async fn doctor(&self) -> Told {
        doctor(&["--url", &self.url], &[]).await
    }

    /// Runs another command, which ends well.
    pub(crate) async fn pollctl(&self, arguments: &[&str]) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_pollctl"));
        let ended = program.args(["--url", &self.url]).args(arguments).status();
        assert!(ended.await.unwrap().success(), "{arguments:?}");
    }

    /// The doctor tells one finding with `what`, whose mend has `mend`, in both forms; the whole mend.
    pub(crate) async fn names(&self, severity: &str, what: &str, mend: &str) -> String {
        let mut told = None;
        // Readiness is looked at now and then.
        let code = i32::from(severity == "problem");
        eventually("the doctor's exit code", async || {
            told = Some(self.doctor().await);
            told.as_ref().is_some_and(|told| told.code == code)
        })
        .await;
        told.unwrap().names(severity, what, mend)
    }

    /// Does the commands of a mend, which stand between backticks.
    pub(crate) async fn apply(&self, mend: &str) {
        let commands: Vec<_> = mend.split('`').skip(1).step_by(2).collect();
        assert!(!commands.is_empty(), "no command: {mend}");
        for command in commands {
            let words: Vec<_> = command.split(' ').collect();
            assert_eq!(words[0], "redis-cli", "{mend}");
            let mut program = Command::new("redis-cli");
            if words[1] != "--cluster" {
                program.args(["-p", &self.redis.port().to_string()]);
            }
            let mut process = program
                .args(&words[1..])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            // It asks before it gives hash slots away.
            let mut input = process.stdin.take().unwrap();
            let _ = input.write_all(b"yes\nyes\nyes\n").await;
            drop(input);
            assert!(process.wait().await.unwrap().success(), "{command}");
        }
    }

    /// Nothing is told any more.
    pub(crate) async fn is_well(&self) {
        eventually("the doctor finds nothing any more", async || {
            let told = self.doctor().await;
            told.code == 0 && told.json["findings"].as_array().unwrap().is_empty()
        })
        .await;
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Told {
    pub(crate) fn names(&self, severity: &str, what: &str, mend: &str) -> String {
        let findings = self.json["findings"].as_array().unwrap();
        let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
        let found = findings.iter().find(|one| text(one, "what").contains(what));
        let found = found.unwrap_or_else(|| panic!("{what} is not in {}", self.text));
        assert_eq!(text(found, "severity"), severity, "{found}");
        let whole = text(found, "mend");
        assert!(whole.contains(mend), "{mend} is not in {whole}");
        assert!(self.text.contains(what), "{what} is not in {}", self.text);
        let line = format!("    mend:  {whole}\n");
        assert!(self.text.contains(&line), "{line} is not in {}", self.text);
        whole
    }
}

/// Runs the doctor as a program.
pub(crate) async fn doctor(before: &[&str], after: &[&str]) -> Told {
    let run = async |more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_pollctl"))
            .args(before)
            .arg("doctor")
            .args(after)
            .args(more)
            .env_remove("POLLCTL_URL")
            .output()
            .await
            .unwrap()
    };
    let (text, json) = (run(&[]).await, run(&["--json"]).await);
    Told {
        // Between the two calls something may have come back.
        code: text.status.code().max(json.status.code()).unwrap(),
        text: String::from_utf8(text.stdout).unwrap(),
        json: serde_json::from_slice(&json.stdout).unwrap_or_default(),
    }
}

async fn serve(
    config: &Config,
    clock: Arc<WrongClock>,
) -> (String, CancellationToken, JoinHandle<()>) {
    let metrics = Metrics::new();
    let scheduler = assemble(config, Arc::new(SystemClock), &metrics, Arc::new(()))
        .await
        .unwrap();
    let clock: SharedClock = clock;
    let web = Web::builder(&scheduler, Arc::clone(&clock))
        .check(check::of(config.clone(), clock))
        .build();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    tokio::spawn(scheduler_web::serve(listener, web.router(), stop.clone()));
    let running = scheduler.run(stop.clone().cancelled_owned());
    (url, stop, tokio::spawn(running))
}

/// The configuration of one channel.
pub(crate) fn config(channel: &str, redis: &str, queues: &str, before: &str) -> String {
    format!(
        "{before}[channels.{channel}]\nredis = \"{redis}\"\nslot_width = \"1s\"\n\
         [channels.{channel}.queues]\nvisibility_timeout = \"30s\"\n{queues}\n\
         [channels.{channel}.limits]\nreceive_wait = \"1s\"\n\
         [channels.{channel}.job_types.posts]\ninterval = \"1m\"\n"
    )
}

/// Where SQS is, as the configuration says it.
pub(crate) fn endpoint() -> String {
    let address = std::env::var("POLLING_SQS_ENDPOINT")
        .unwrap_or_else(|_| panic!("POLLING_SQS_ENDPOINT is not set: start dev/services"));
    format!("[sqs]\nendpoint = \"{address}\"\n")
}
