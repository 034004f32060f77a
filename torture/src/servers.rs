//! The real servers, through `dev/services`, which knows how each is started.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;
use tokio::{process::Command, time::timeout};

use crate::process::signal_process;

/// The script, from the project's root, in which the program runs.
const SCRIPT: &str = "dev/services";

/// A Java server may take its time to start.
const DEADLINE: Duration = Duration::from_secs(120);

/// A server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    /// Holds the slots.
    Redis,
    /// ElasticMQ: holds the queues.
    Sqs,
    /// Takes the events.
    Kafka,
}

impl Server {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Redis, Self::Sqs, Self::Kafka];

    /// As `dev/services` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Sqs => "sqs",
            Self::Kafka => "kafka",
        }
    }

    /// The variable with its address.
    const fn variable(self) -> &'static str {
        match self {
            Self::Redis => "POLLING_REDIS_URL",
            Self::Sqs => "POLLING_SQS_ENDPOINT",
            Self::Kafka => "POLLING_KAFKA_BROKERS",
        }
    }
}

/// Addresses of all servers, and the power over those that are ours.
#[derive(Debug, Clone)]
pub struct Servers {
    redis: String,
    sqs: String,
    kafka: String,
    /// Whether ElasticMQ's queues outlive a kill, as it was started last.
    persistent: Arc<AtomicBool>,
}

impl Servers {
    /// As the environment has them, which `dev/torture` fills.
    ///
    /// # Errors
    ///
    /// When a variable is missing.
    pub fn from_environment() -> anyhow::Result<Self> {
        let address = |server: Server| {
            let variable = server.variable();
            std::env::var(variable)
                .with_context(|| format!("{variable} is not set: start me through dev/torture"))
        };
        Ok(Self {
            redis: address(Server::Redis)?,
            sqs: address(Server::Sqs)?,
            kafka: address(Server::Kafka)?,
            // So dev/torture starts it.
            persistent: Arc::new(AtomicBool::new(true)),
        })
    }

    /// The server's own address, no proxy's: a URL, or host:port for Kafka.
    #[must_use]
    pub fn address(&self, server: Server) -> &str {
        match server {
            Server::Redis => &self.redis,
            Server::Sqs => self.sqs.trim_end_matches('/'),
            Server::Kafka => &self.kafka,
        }
    }

    /// Refuses a server that somebody else runs.
    ///
    /// # Errors
    ///
    /// When it is given by the environment.
    pub async fn ensure_ours(&self, servers: &[Server]) -> anyhow::Result<()> {
        for server in servers {
            let status = status(*server).await?;
            ensure!(
                !status.contains("given by"),
                "this scenario breaks {}, and the one of {} is not ours to break: unset it",
                server.name(),
                server.variable()
            );
        }
        Ok(())
    }

    /// SIGKILL. ElasticMQ keeps its messages only if it was started to: see [`start_sqs`].
    ///
    /// [`start_sqs`]: Self::start_sqs
    ///
    /// # Errors
    ///
    /// When the script fails.
    pub async fn kill(&self, server: Server) -> anyhow::Result<()> {
        services(&["kill", server.name()], &[]).await.map(drop)
    }

    /// As an operator would stop it.
    ///
    /// # Errors
    ///
    /// When the script fails.
    pub async fn stop(&self, server: Server) -> anyhow::Result<()> {
        services(&["stop", server.name()], &[]).await.map(drop)
    }

    /// Starts it with the data it had, and waits until it answers. Does nothing while it runs.
    ///
    /// # Errors
    ///
    /// When it does not answer in time.
    pub async fn start(&self, server: Server) -> anyhow::Result<()> {
        if server == Server::Sqs {
            return self.start_sqs(self.persistent.load(Relaxed)).await;
        }
        services(&["start", server.name()], &[]).await.map(drop)
    }

    /// Starts ElasticMQ with its queues on disk, where they outlive a kill, or in memory.
    ///
    /// # Errors
    ///
    /// When it does not answer in time.
    pub async fn start_sqs(&self, persistent: bool) -> anyhow::Result<()> {
        self.persistent.store(persistent, Relaxed);
        let persistent = if persistent { "1" } else { "0" };
        let env = [("POLLING_SQS_PERSISTENT", persistent)];
        services(&["start", "sqs"], &env).await.map(drop)
    }

    /// ElasticMQ as a stage wants it: started anew if it runs in the other way.
    ///
    /// # Errors
    ///
    /// When it is not ours, or does not answer in time.
    pub async fn ensure_sqs(&self, persistent: bool) -> anyhow::Result<()> {
        if self.persistent.load(Relaxed) == persistent {
            return Ok(());
        }
        self.stop(Server::Sqs).await?;
        self.start_sqs(persistent).await
    }

    /// SIGSTOP: connections stay, nobody answers.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub async fn pause(&self, server: Server) -> anyhow::Result<()> {
        signal_process(id(server).await?, Signal::STOP)
    }

    /// SIGCONT.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub async fn go_on(&self, server: Server) -> anyhow::Result<()> {
        signal_process(id(server).await?, Signal::CONT)
    }

    /// Whatever was done to them: all of ours run and answer afterwards.
    ///
    /// # Errors
    ///
    /// When one does not answer in time.
    pub async fn heal(&self) -> anyhow::Result<()> {
        for server in Server::ALL {
            if let Ok(id) = id(server).await {
                signal_process(id, Signal::CONT)?;
            }
        }
        services(&["start", "redis", "kafka"], &[]).await?;
        self.start_sqs(self.persistent.load(Relaxed)).await
    }
}

/// Its line of `dev/services status`: whether it answers, and whose it is.
async fn status(server: Server) -> anyhow::Result<String> {
    // Its exit code says whether the server answers, which is not asked here.
    let output = call(&["status", server.name()], &[]).await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

async fn id(server: Server) -> anyhow::Result<u32> {
    let status = status(server).await?;
    let id = status.split_whitespace().last().map(str::parse);
    match id {
        Some(Ok(id)) if status.contains(" pid ") => Ok(id),
        _ => bail!("{} is not ours, or does not run: {status}", server.name()),
    }
}

async fn services(arguments: &[&str], env: &[(&str, &str)]) -> anyhow::Result<String> {
    let output = call(arguments, env).await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let command = arguments.join(" ");
    ensure!(
        output.status.success(),
        "{SCRIPT} {command} failed: {errors}{text}"
    );
    Ok(text)
}

async fn call(arguments: &[&str], env: &[(&str, &str)]) -> anyhow::Result<std::process::Output> {
    let mut command = Command::new(SCRIPT);
    command
        .args(arguments)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    timeout(DEADLINE, command.output())
        .await
        .with_context(|| format!("{SCRIPT} {} takes too long", arguments.join(" ")))?
        .with_context(|| format!("cannot run {SCRIPT}: start me in the project's root"))
}
