//! The configuration: a TOML file, with overrides from the environment.
//!
//! Reading goes in this order: the file's text, the overrides, the types of single fields, then the
//! rules between fields. An error names the line or the variable, and the path of keys.

mod document;
mod fields;
mod graphite;
mod health;
mod objectives;
mod otlp;
mod problem;
mod scaling;
mod settings;
mod tls;
mod validate;

use std::{collections::BTreeMap, env, fs, path::Path, time::Duration};

use polling_model::{ChannelId, JobType, ServiceLevel, SlotRing};
use polling_ops::objectives::Objective;
use scheduler_lib::{Limits, policy::JobTypeRules, store::LinkOptions};
use serde::Deserialize;

use self::document::Document;
pub use self::{
    document::ENVIRONMENT_PREFIX,
    graphite::Graphite,
    health::Health,
    objectives::{Objectives, Promise},
    otlp::Otlp,
    problem::{ConfigError, Origin, Problem},
    scaling::{JobTypeScaling, Scaling},
    settings::{ConsulSettings, RedisSettings, Settings},
    tls::RedisTls,
};
pub use scheduler_web::Options as Admin;
use scheduler_web::Secret;

/// All that the service is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The admin server.
    #[serde(default)]
    pub admin: Admin,
    /// Where health is told besides.
    #[serde(default)]
    pub health: Health,
    /// Where metrics are pushed to.
    #[serde(default)]
    pub graphite: Graphite,
    /// Where traces are sent to.
    #[serde(default)]
    pub otlp: Otlp,
    /// Where SQS is, if the usual AWS settings do not say it.
    #[serde(default)]
    pub sqs: Sqs,
    /// How many workers there should be.
    #[serde(default)]
    pub scaling: Scaling,
    /// Where settings come from that change while it runs.
    #[serde(default)]
    pub settings: Settings,
    /// What is served, by name.
    pub channels: BTreeMap<ChannelId, ChannelConfig>,
}

/// SQS, beyond the usual AWS settings of region and credentials.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Sqs {
    /// The address of a server that speaks SQS's protocol; `AWS_ENDPOINT_URL_SQS` otherwise.
    pub endpoint: Option<String>,
}

/// One channel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ChannelConfig {
    /// The ring of slots; written as the width of one.
    #[serde(
        rename = "slot_width",
        default = "minutes",
        deserialize_with = "fields::ring"
    )]
    pub ring: SlotRing,
    /// The address of the channel's Redis, `redis://user:password@host:port/database`, or of the
    /// sentinels that know it, `redis+sentinel://…?master=NAME`.
    pub redis: Option<Secret>,
    /// Certificates for it, with `rediss://`.
    #[serde(default)]
    pub redis_tls: RedisTls,
    /// How to connect to it: with those certificates.
    #[serde(skip)]
    pub link: LinkOptions,
    /// How many parts the jobs are spread over; fixed when the store is created.
    #[serde(default = "one")]
    pub shards: usize,
    /// What holds jobs and slots.
    #[serde(default)]
    pub store: StoreKind,
    /// Registrations and removals wait for replicas.
    pub replicas: Option<Replicas>,
    /// The level of jobs registered without one.
    #[serde(default = "default_level")]
    pub default_level: ServiceLevel,
    /// The queues' names and settings.
    #[serde(default)]
    pub queues: Queues,
    /// The bounds of the cycle.
    #[serde(default)]
    pub limits: Limits,
    /// What is promised of freshness.
    #[serde(default)]
    pub objectives: Objectives,
    /// The kinds of job with their rules, by name.
    pub job_types: BTreeMap<JobType, JobTypeRules>,
}

const fn one() -> usize {
    1
}

const fn minutes() -> SlotRing {
    SlotRing::MINUTES
}

fn default_level() -> ServiceLevel {
    ServiceLevel::new("default").expect("the name is a valid label")
}

/// What holds a channel's jobs and slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoreKind {
    /// Redis, at the channel's `redis`.
    #[default]
    Redis,
    /// This process, for a trial: registrations are gone when it ends.
    Memory,
}

/// How many replicas have a registration before it is answered.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replicas {
    /// From 1.
    pub count: usize,
    /// Longest wait; with fewer replicas by then the registration fails and can be repeated.
    #[serde(deserialize_with = "fields::deadline")]
    pub timeout: Duration,
}

/// A channel's queues.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Queues {
    /// What they are on.
    pub transport: TransportKind,
    /// The address of the Redis that they are on; the channel's `redis` unless set.
    pub redis: Option<Secret>,
    /// What the names begin with; `polling-<channel>` unless set.
    pub prefix: Option<String>,
    /// The name of the completed queue; `<prefix>-completed` unless set.
    pub completed: Option<String>,
    /// The name of the dead-letter queue; `<prefix>-dead-letter` unless set.
    pub dead_letter: Option<String>,
    /// The names of work queues, by job type; `<prefix>-<job type>` unless set.
    pub work: BTreeMap<JobType, String>,
    /// How long a received message stays invisible, for queues that this program creates.
    #[serde(deserialize_with = "fields::visibility")]
    pub visibility_timeout: Duration,
}

impl Default for Queues {
    fn default() -> Self {
        Self {
            transport: TransportKind::Sqs,
            redis: None,
            prefix: None,
            completed: None,
            dead_letter: None,
            work: BTreeMap::new(),
            visibility_timeout: Duration::from_secs(60),
        }
    }
}

/// What a channel's queues are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TransportKind {
    /// Amazon SQS, or a server that speaks its protocol.
    #[default]
    Sqs,
    /// Redis Streams, in a space that is called as the channel is.
    Redis,
}

/// The names of a channel's queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueNames {
    /// Completions come here.
    pub completed: String,
    /// What was received too often comes here.
    pub dead_letter: String,
    /// Jobs go here, by their type.
    pub work: BTreeMap<JobType, String>,
}

impl ChannelConfig {
    /// The address of the Redis that its queues are on, if they are on one.
    #[must_use]
    pub fn queues_redis(&self) -> Option<&Secret> {
        match self.queues.transport {
            TransportKind::Redis => self.queues.redis.as_ref().or(self.redis.as_ref()),
            TransportKind::Sqs => None,
        }
    }

    /// Settings that are allowed but hardly wanted.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let width_ms = self.ring.width_ms();
        let too_often = |(job_type, rules): (&JobType, &JobTypeRules)| {
            let levels = rules.levels.values().filter_map(|level| level.interval);
            let shortest = levels.chain([rules.interval]).min()?;
            let width = Duration::from_millis(width_ms.unsigned_abs());
            (shortest < width).then(|| {
                let text = scheduler_lib::duration::text;
                format!(
                    "job type {job_type} has an interval of {}, shorter than a slot: its jobs are polled once a slot, every {}",
                    text(shortest),
                    text(width)
                )
            })
        };
        let doubts = self.job_types.iter().flat_map(|(job_type, rules)| {
            let doubts = rules.doubts().into_iter();
            doubts.map(move |doubt| format!("job type {job_type}: {doubt}"))
        });
        let too_often = self.job_types.iter().filter_map(too_often);
        too_often.chain(doubts).collect()
    }

    /// The queues' names, defaults filled in.
    #[must_use]
    pub fn queue_names(&self, channel: &ChannelId) -> QueueNames {
        let Queues {
            prefix,
            completed,
            dead_letter,
            work,
            ..
        } = &self.queues;
        let prefix = prefix
            .clone()
            .unwrap_or_else(|| format!("polling-{channel}"));
        let or_default = |name: Option<&String>, ending: &str| {
            name.cloned()
                .unwrap_or_else(|| format!("{prefix}-{ending}"))
        };
        let work_name = |job_type: &JobType| or_default(work.get(job_type), job_type.as_str());
        QueueNames {
            completed: or_default(completed.as_ref(), "completed"),
            dead_letter: or_default(dead_letter.as_ref(), "dead-letter"),
            work: self
                .job_types
                .keys()
                .map(|job_type| (job_type.clone(), work_name(job_type)))
                .collect(),
        }
    }
}

impl Config {
    /// What is promised of the freshness of all channels.
    #[must_use]
    pub fn objectives(&self) -> Vec<Objective> {
        let channels = self.channels.iter();
        let of = channels.flat_map(|(id, channel)| channel.objectives.of(id));
        of.map(|(_, objective)| objective).collect()
    }

    /// Reads a file, and the variables that override it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] that tells everything that is wrong, and where.
    pub fn load(
        file: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| {
            let origin = Origin::File { name: name.clone(), line: 0 };
            let what = format!(
                "this file cannot be read: {error}; name another with --config, or begin with `scheduler example-config > scheduler.toml`"
            );
            ConfigError { problems: vec![Problem { origin, path: String::new(), what }] }
        })?;
        Self::parse(&name, &text, environment)
    }

    /// Reads a configuration's text, with the variables that override it. `name` stands for it in
    /// errors.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] that tells everything that is wrong, and where.
    pub fn parse(
        name: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut document = Document::parse(name, text)?;
        for (variable, text) in environment {
            document.set(&variable, &text)?;
        }
        let mut config: Self = document.read()?;
        let problems = validate::check(&mut config, &document);
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError { problems })
        }
    }
}

/// This machine's name: what containers are told, or what Linux tells.
fn host() -> String {
    let told = env::var("HOSTNAME").ok().filter(|host| !host.is_empty());
    let told = told.or_else(|| fs::read_to_string("/proc/sys/kernel/hostname").ok());
    told.map_or_else(|| "localhost".to_owned(), |host| host.trim().to_owned())
}
