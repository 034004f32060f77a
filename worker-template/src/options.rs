//! What can be set, as an option or in the environment.

use std::net::SocketAddr;

use clap::{Parser, ValueEnum};
use polling_core::Topic;

/// Polls a channel.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// The first part of the worker's identity.
    #[arg(long, env = "WORKER_NAME", default_value = "worker")]
    pub(crate) name: String,
    /// Polls at once.
    #[arg(long, env = "WORKER_CONCURRENCY", default_value_t = 64)]
    pub(crate) concurrency: usize,
    /// Workers of this channel, this one included: a pace (`.pace(…)` in `main.rs`) is shared among them.
    #[arg(long, env = "WORKER_REPLICAS", default_value_t = 1)]
    pub(crate) replicas: u32,
    /// Deadline of one poll, in seconds.
    #[arg(long, env = "POLL_TIMEOUT_S", default_value_t = 30)]
    pub(crate) poll_timeout_s: u64,
    /// Where the channel's API is; a stand-in in this process unless set.
    #[arg(long, env = "CHANNEL_URL")]
    pub(crate) channel_url: Option<String>,
    /// A host that may have a private address: a channel of your own network. Can be repeated.
    #[arg(long = "private-host", value_name = "HOST")]
    pub(crate) private_hosts: Vec<String>,
    /// What the channel sees as the caller: say who runs it and where to reach them.
    #[arg(long, env = "USER_AGENT", default_value = USER_AGENT)]
    pub(crate) user_agent: String,
    /// Where jobs come from.
    #[arg(long, env = "WORKER_QUEUES", value_enum, default_value_t = Queues::Memory)]
    pub(crate) queues: Queues,
    /// The queue of jobs.
    #[arg(long, env = "WORK_QUEUE", default_value = "polling-demo-items")]
    pub(crate) work_queue: String,
    /// The queue of completions.
    #[arg(
        long,
        env = "COMPLETED_QUEUE",
        default_value = "polling-demo-completed"
    )]
    pub(crate) completed_queue: String,
    /// The SQS endpoint; that of AWS unless set.
    #[cfg(feature = "sqs")]
    #[arg(long, env = "POLLING_SQS_ENDPOINT")]
    pub(crate) sqs_endpoint: Option<String>,
    /// The Redis that the queues are on, `redis://user:password@host:port/database`.
    #[cfg(feature = "redis")]
    #[arg(
        long,
        env = "POLLING_REDIS_URL",
        default_value = "redis://127.0.0.1:6379/",
        hide_env_values = true
    )]
    pub(crate) redis_url: Secret,
    /// The space that the queues are in there: the channel's name, as the scheduler knows it.
    #[cfg(feature = "redis")]
    #[arg(long, env = "QUEUE_SPACE", default_value = "demo")]
    pub(crate) queue_space: String,
    #[cfg(feature = "settings")]
    #[command(flatten)]
    pub(crate) settings: crate::settings::Sources,
    /// Where events go to.
    #[arg(long, env = "WORKER_BUS", value_enum, default_value_t = Bus::Memory)]
    pub(crate) bus: Bus,
    /// The topic of events.
    #[arg(long, env = "EVENT_TOPIC", default_value = "items")]
    pub(crate) topic: Topic,
    /// Kafka's brokers, `host:port,host:port`.
    #[cfg(feature = "kafka")]
    #[arg(long, env = "POLLING_KAFKA_BROKERS", default_value = "127.0.0.1:9092")]
    pub(crate) kafka_brokers: String,
    /// Where to answer the probes, /healthz and /readyz.
    #[arg(long, env = "HEALTH_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) health_listen: SocketAddr,
    /// Writes logs as lines of JSON.
    #[cfg(feature = "traces")]
    #[arg(long, env = "LOG_JSON")]
    pub(crate) log_json: bool,
    /// The collector that is told the traces of jobs, by OTLP over gRPC, such as `http://127.0.0.1:4317`; nobody unless
    /// set.
    #[cfg(feature = "traces")]
    #[arg(long, env = "OTLP_ENDPOINT")]
    pub(crate) otlp_endpoint: Option<String>,
    /// How many traces are kept, from 0 to 1, where the scheduler did not choose; failures are kept besides.
    #[cfg(feature = "traces")]
    #[arg(long, env = "TRACE_RATIO", default_value_t = 0.01)]
    pub(crate) trace_ratio: f64,
    /// Ends by itself after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    pub(crate) for_s: Option<u64>,
}

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Where jobs come from.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Queues {
    /// This process, with a stand-in for the scheduler.
    Memory,
    /// Amazon SQS.
    Sqs,
    /// Streams on a Redis.
    Redis,
}

/// Where events go to.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Bus {
    /// This process, with a stand-in for the consumer.
    Memory,
    /// Apache Kafka.
    Kafka,
}

/// An address that may hold a password: it shows in no log.
#[cfg(any(feature = "redis", feature = "settings"))]
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

#[cfg(any(feature = "redis", feature = "settings"))]
impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

#[cfg(any(feature = "redis", feature = "settings"))]
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}
