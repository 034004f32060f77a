//! Channels as the scheduler's configuration has them: of that file only what alerts need.

use std::{collections::BTreeMap, path::Path, time::Duration};

use polling_model::{ChannelId, JobType, ServiceLevel};
use polling_ops::{
    alerts::{Bounds, Channel, JobTypeOfChannel},
    objectives::{Measure, Objective},
    scaling::ScalingRules,
};
use serde::{Deserialize, Deserializer, de::IgnoredAny};

use crate::failure::Failure;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Document {
    channels: BTreeMap<ChannelId, ChannelTable>,
    scaling: Scaling,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChannelTable {
    queues: Queues,
    job_types: BTreeMap<JobType, IgnoredAny>,
    objectives: Objectives,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Queues {
    prefix: Option<String>,
    completed: Option<String>,
    dead_letter: Option<String>,
    work: BTreeMap<JobType, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Objectives {
    staleness: BTreeMap<ServiceLevel, Promise>,
    lateness: Option<Promise>,
}

#[derive(Debug, Deserialize)]
struct Promise {
    #[serde(deserialize_with = "duration")]
    within: Duration,
    share: Option<f64>,
    #[serde(default, deserialize_with = "some_duration")]
    period: Option<Duration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Scaling {
    channels: BTreeMap<ChannelId, BTreeMap<JobType, Workers>>,
}

#[derive(Debug, Deserialize)]
struct Workers {
    min: Option<u32>,
    max: Option<u32>,
}

/// The channels of a file, and what is promised of them.
pub(super) fn read(path: &Path) -> Result<(Vec<Channel>, Vec<Objective>), Failure> {
    let wrong = |what: &dyn std::fmt::Display| {
        Failure::Usage(format!("the configuration {} {what}", path.display()))
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| wrong(&format_args!("cannot be read: {error}")))?;
    let document: Document =
        toml::from_str(&text).map_err(|error| wrong(&format_args!("is wrong: {error}")))?;
    let mut channels = Vec::new();
    let mut objectives = Vec::new();
    for (id, table) in &document.channels {
        let workers = document.scaling.channels.get(id);
        channels.push(table.channel(id, workers));
        for objective in table.objectives.of(id) {
            objective.validate().map_err(|error| {
                wrong(&format_args!("has a wrong objective, {objective}: {error}"))
            })?;
            objectives.push(objective);
        }
    }
    Ok((channels, objectives))
}

impl ChannelTable {
    /// The names of queues are those that the scheduler gives them unless set.
    fn channel(&self, id: &ChannelId, workers: Option<&BTreeMap<JobType, Workers>>) -> Channel {
        let prefix = self.queues.prefix.clone();
        let prefix = prefix.unwrap_or_else(|| format!("polling-{id}"));
        let named = |name: &Option<String>, usual: &str| {
            Some(name.clone().unwrap_or_else(|| format!("{prefix}-{usual}")))
        };
        let job_type = |job_type: &JobType| JobTypeOfChannel {
            id: job_type.clone(),
            queue: named(&self.queues.work.get(job_type).cloned(), job_type.as_str()),
            workers: workers.and_then(|workers| Some(workers.get(job_type)?.bounds())),
        };
        Channel {
            id: id.clone(),
            completed_queue: named(&self.queues.completed, "completed"),
            dead_letter_queue: named(&self.queues.dead_letter, "dead-letter"),
            job_types: self.job_types.keys().map(job_type).collect(),
        }
    }
}

impl Workers {
    fn bounds(&self) -> Bounds {
        let usual = ScalingRules::default();
        Bounds {
            min: self.min.unwrap_or(usual.min),
            max: self.max.unwrap_or(usual.max),
        }
    }
}

impl Objectives {
    fn of<'a>(&'a self, channel: &'a ChannelId) -> impl Iterator<Item = Objective> + 'a {
        let staleness = self.staleness.iter().map(|(level, promise)| {
            let level = level.clone();
            (Measure::Staleness { level }, promise)
        });
        let lateness = self
            .lateness
            .iter()
            .map(|promise| (Measure::Lateness, promise));
        staleness.chain(lateness).map(|(measure, promise)| {
            let usual = Objective::new(channel.clone(), measure, promise.within);
            Objective {
                share: promise.share.unwrap_or(usual.share),
                period: promise.period.unwrap_or(usual.period),
                ..usual
            }
        })
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(serde::de::Error::custom)
}

fn some_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}
