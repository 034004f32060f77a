//! One run's stage: a channel, queues, a topic, schedulers and workers of its own, on servers that
//! other runs share.

pub mod ports;
mod posts;
mod programs;
mod proxies;
pub mod setting;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use rand::{RngExt as _, rngs::StdRng};
use tokio::time::{Instant, sleep};

pub use self::{
    programs::Programs,
    proxies::Proxies,
    setting::{Setting, bounds},
};
use crate::{
    http,
    process::{Process, Program},
    servers::{Server, Servers},
};

/// The scheduler's configuration, for a channel called `torture`.
const CONFIG: &str = include_str!("../../torture.toml");

/// How long a process may take until it answers, on a machine that is busy.
const ANSWER: Duration = Duration::from_secs(40);

/// How long a process may take to end when asked.
const GRACE: Duration = Duration::from_secs(20);

/// Posts are planned for so long; a run stops them when it wants.
const POSTING: Duration = Duration::from_secs(3_600);

/// A scheduler process and its admin server.
#[derive(Debug)]
pub struct Scheduler {
    /// The process.
    pub process: Process,
    /// Its admin server, `http://host:port`.
    pub url: String,
}

/// All that a scenario plays with.
#[derive(Debug)]
pub struct Stage {
    /// The channel's name; queues, topic and keys bear it.
    pub name: String,
    /// Logs and notes.
    pub folder: PathBuf,
    /// How it is set.
    pub setting: Setting,
    /// The servers, at their own addresses.
    pub servers: Servers,
    /// What stands between them and schedulers and workers, if the setting says so.
    pub proxies: Option<Proxies>,
    /// The fake channel.
    pub channel: Process,
    channel_url: String,
    /// The schedulers.
    pub schedulers: Vec<Scheduler>,
    /// The workers.
    pub workers: Vec<Process>,
    http: reqwest::Client,
    programs: Programs,
}

impl Stage {
    /// Starts everything but the posts, and waits until all answer.
    ///
    /// # Errors
    ///
    /// When something does not start.
    pub async fn start(
        name: String,
        folder: PathBuf,
        setting: Setting,
        programs: Programs,
        servers: Servers,
        random: &mut StdRng,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let config = CONFIG.replace("channels.torture", &format!("channels.{name}"));
        fs::write(folder.join("scheduler.toml"), config)?;
        let trace = folder.join("trace.csv");
        let (accounts, per_minute) = (setting.accounts, setting.posts_per_minute);
        posts::write(&trace, random, accounts, per_minute, POSTING)?;
        let proxies = match setting.proxied {
            true => Some(Proxies::start(&servers, random.random()).await?),
            false => None,
        };
        let channel_address = ports::free()?;
        let http = http::client(Duration::from_secs(5))?;
        let channel = channel(&programs, &folder, channel_address, &setting, &trace);
        let mut stage = Self {
            name,
            folder,
            setting,
            servers,
            proxies,
            channel: Process::start(channel)?,
            channel_url: format!("http://{channel_address}"),
            schedulers: Vec::new(),
            workers: Vec::new(),
            http,
            programs,
        };
        stage
            .await_answer(&format!("{}/control", stage.channel_url))
            .await?;
        stage.create_queues().await?;
        stage.create_topic().await?;
        for _ in 0..stage.setting.schedulers {
            stage.add_scheduler(&[])?;
        }
        for _ in 0..stage.setting.workers {
            stage.add_worker(&[])?;
        }
        stage.ready().await?;
        Ok(stage)
    }

    /// Adds a scheduler, and starts it with `env` beyond the usual. Its index.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn add_scheduler(&mut self, env: &[(&str, &str)]) -> anyhow::Result<usize> {
        let index = self.schedulers.len();
        let address = ports::free()?;
        let mut program = self.scheduler_program(&format!("scheduler-{index}"), &[]);
        let listen = ("POLLING__ADMIN__LISTEN".to_owned(), address.to_string());
        program.env.push(listen);
        program.env.extend(owned(env));
        self.schedulers.push(Scheduler {
            process: Process::start(program)?,
            url: format!("http://{address}"),
        });
        Ok(index)
    }

    /// Adds a worker, started with `args` beyond the usual. Its index.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn add_worker(&mut self, args: &[String]) -> anyhow::Result<usize> {
        let index = self.workers.len();
        let mut program = self.worker_program(&format!("worker-{index}"));
        program.args.extend_from_slice(&self.setting.worker_args);
        program.args.extend_from_slice(args);
        self.workers.push(Process::start(program)?);
        Ok(index)
    }

    /// Creates the queues that are not there.
    ///
    /// # Errors
    ///
    /// When the scheduler's program cannot.
    pub async fn create_queues(&self) -> anyhow::Result<()> {
        self.create_queues_with(&[]).await
    }

    /// The same, with `env` beyond the usual, such as further job types.
    ///
    /// # Errors
    ///
    /// When the scheduler's program cannot.
    pub async fn create_queues_with(&self, env: &[(&str, &str)]) -> anyhow::Result<()> {
        // Not through a proxy: this is the operator's, and not what is tested.
        let mut program = self.scheduler_program("create-queues", &["create-queues"]);
        let sqs = self.servers.address(Server::Sqs).to_owned();
        program.env.push(("AWS_ENDPOINT_URL_SQS".to_owned(), sqs));
        program.env.extend(owned(env));
        program.run(ANSWER).await
    }

    async fn create_topic(&self) -> anyhow::Result<()> {
        let program = Program {
            name: "create-topic".to_owned(),
            path: self.programs.example("create_topic"),
            args: vec![self.topic()],
            env: Vec::new(),
            folder: self.folder.clone(),
        };
        program.run(ANSWER).await
    }

    fn scheduler_program(&self, name: &str, args: &[&str]) -> Program {
        let path = self.programs.scheduler();
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let folder = self.folder.clone();
        let channel = self.name.to_uppercase();
        let mut env = vec![
            setting_of("redis", &channel, self.address(Server::Redis)),
            (
                "AWS_ENDPOINT_URL_SQS".to_owned(),
                self.address(Server::Sqs).to_owned(),
            ),
            (
                "POLLING_CONFIG".to_owned(),
                self.config_path().display().to_string(),
            ),
        ];
        for (path, value) in &self.setting.config {
            env.push(setting_of(path, &channel, value));
        }
        Program {
            name: name.to_owned(),
            path,
            args,
            env,
            folder,
        }
    }

    fn worker_program(&self, name: &str) -> Program {
        let args = [
            ("--name", name),
            ("--channel-url", &self.channel_url),
            ("--work-queue", &self.queue("posts")),
            ("--completed-queue", &self.queue("completed")),
            ("--topic", &self.topic()),
            ("--sqs-endpoint", self.address(Server::Sqs)),
            ("--kafka-brokers", self.address(Server::Kafka)),
        ];
        Program {
            name: name.to_owned(),
            path: self.programs.example("channel_worker"),
            args: args
                .iter()
                .flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()])
                .collect(),
            env: Vec::new(),
            folder: self.folder.clone(),
        }
    }

    /// The address under which schedulers and workers know a server.
    fn address(&self, server: Server) -> &str {
        match &self.proxies {
            Some(proxies) => proxies.address(server),
            None => self.servers.address(server),
        }
    }

    fn config_path(&self) -> PathBuf {
        self.folder.join("scheduler.toml")
    }

    /// The topic of the events.
    #[must_use]
    pub fn topic(&self) -> String {
        format!("{}-posts", self.name)
    }

    /// A queue's name: `posts`, `completed` or `dead-letter`.
    #[must_use]
    pub fn queue(&self, kind: &str) -> String {
        format!("polling-{}-{kind}", self.name)
    }

    /// What every key of the run in Redis begins with.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("polling:{{{}:0}}:", self.name)
    }

    /// The fake channel's log.
    #[must_use]
    pub fn channel_log(&self) -> PathBuf {
        self.folder.join("channel.jsonl")
    }

    /// The programs.
    #[must_use]
    pub const fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Base URLs of all admin servers, running or not.
    #[must_use]
    pub fn admin_urls(&self) -> Vec<String> {
        let url = |scheduler: &Scheduler| format!("{}/v1/channels/{}", scheduler.url, self.name);
        self.schedulers.iter().map(url).collect()
    }

    /// Waits until every scheduler is ready.
    ///
    /// # Errors
    ///
    /// When one is not in time.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        for index in 0..self.schedulers.len() {
            let url = format!("{}/readyz", self.schedulers[index].url);
            self.await_answer(&url).await.with_context(|| {
                let program = self.schedulers[index].process.program();
                format!("{}: {}", program.name, program.last_words())
            })?;
        }
        Ok(())
    }

    async fn await_answer(&self, url: &str) -> anyhow::Result<()> {
        let until = Instant::now() + ANSWER;
        loop {
            let answered = self.http.get(url).send().await;
            if answered.is_ok_and(|response| response.status().is_success()) {
                return Ok(());
            }
            if Instant::now() >= until {
                bail!("no answer from {url} within {ANSWER:?}");
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Tells the channel what to change, as JSON; its status.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn control(&self, change: &str) -> anyhow::Result<String> {
        let request = self
            .http
            .post(format!("{}/control", self.channel_url))
            .header("content-type", "application/json")
            .body(change.to_owned());
        Ok(request.send().await?.error_for_status()?.text().await?)
    }

    /// Whether all processes run, before anything was done to them.
    ///
    /// # Errors
    ///
    /// When one has ended, with the end of its log.
    pub fn ensure_all_run(&mut self) -> anyhow::Result<()> {
        let schedulers = self.schedulers.iter_mut().map(|one| &mut one.process);
        for process in schedulers.chain(&mut self.workers) {
            if !process.runs() {
                let program = process.program();
                bail!("{} has ended: {}", program.name, program.last_words());
            }
        }
        Ok(())
    }

    /// Nothing breaks connections, and every process runs: what was stopped goes on, what has ended
    /// is started again.
    ///
    /// # Errors
    ///
    /// When one cannot be started, or a scheduler does not become ready.
    pub async fn heal(&mut self) -> anyhow::Result<()> {
        if let Some(proxies) = &self.proxies {
            proxies.heal().await?;
        }
        let schedulers = self.schedulers.iter_mut().map(|one| &mut one.process);
        for process in schedulers.chain(&mut self.workers) {
            if process.runs() {
                process.go_on()?;
            } else {
                process.start_again(&[])?;
            }
        }
        self.ready().await
    }

    /// Asks all processes to end, the workers first: they finish what they have, and the schedulers
    /// settle it. The names of those that did not end by themselves with exit code 0.
    ///
    /// # Errors
    ///
    /// When one does not end at all.
    pub async fn stop(&mut self) -> anyhow::Result<Vec<String>> {
        let mut unclean = Vec::new();
        let schedulers = self.schedulers.iter_mut().map(|one| &mut one.process);
        for process in self
            .workers
            .iter_mut()
            .chain(schedulers)
            .chain([&mut self.channel])
        {
            if !process.terminate(GRACE).await? {
                unclean.push(process.name().to_owned());
            }
        }
        Ok(unclean)
    }
}

fn channel(
    programs: &Programs,
    folder: &Path,
    address: SocketAddr,
    setting: &Setting,
    trace: &Path,
) -> Program {
    let args = [
        format!("--listen={address}"),
        format!("--log={}", folder.join("channel.jsonl").display()),
        format!("--accounts={}", setting.all_accounts()),
        format!("--trace={}", trace.display()),
        format!("--replay-s={}", POSTING.as_secs()),
        format!("--latency-ms={}", setting.channel_latency.as_millis()),
    ];
    Program {
        name: "channel".to_owned(),
        path: programs.example("fake_channel"),
        args: args.into(),
        env: Vec::new(),
        folder: folder.to_owned(),
    }
}

/// The variable that overrides a channel's setting.
fn setting_of(path: &str, channel: &str, value: &str) -> (String, String) {
    let path = path.to_uppercase().replace('.', "__");
    (
        format!("POLLING__CHANNELS__{channel}__{path}"),
        value.to_owned(),
    )
}

fn owned(env: &[(&str, &str)]) -> Vec<(String, String)> {
    env.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
