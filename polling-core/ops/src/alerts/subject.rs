//! What is watched.

use std::fmt;

use polling_model::{ChannelId, JobType};

use super::Service;
use crate::objectives::{Measure, Objective};

/// All that alerts are made for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Watched {
    /// Services over gRPC, whose servers have [`CallLayer`](crate::layer::CallLayer) or others by OpenTelemetry's names.
    pub services: Vec<Service>,
    /// Channels of a scheduler.
    pub channels: Vec<Channel>,
    /// What is promised of their freshness.
    pub objectives: Vec<Objective>,
}

/// A channel, with the names of its queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name.
    pub id: ChannelId,
    /// Where workers tell what they did.
    pub completed_queue: Option<String>,
    /// Where goes what nobody could finish.
    pub dead_letter_queue: Option<String>,
    /// Its kinds of jobs.
    pub job_types: Vec<JobTypeOfChannel>,
}

/// A kind of job, with its queue and its workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobTypeOfChannel {
    /// Its name.
    pub id: JobType,
    /// Where workers receive its jobs.
    pub queue: Option<String>,
    /// How many workers there may be, where the scheduler decides on their number.
    pub workers: Option<Bounds>,
}

/// The fewest and the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The fewest.
    pub min: u32,
    /// The most.
    pub max: u32,
}

/// What one alert is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Service(String),
    Method(String, String),
    Channel(ChannelId),
    JobType(ChannelId, JobType),
    /// With the name of its measure, and of the level if it has one.
    Objective(ChannelId, &'static str, Option<String>),
}

impl Subject {
    pub(super) fn of_objective(objective: &Objective) -> Self {
        let level = match &objective.measure {
            Measure::Staleness { level } => Some(level.to_string()),
            Measure::Lateness => None,
        };
        Self::Objective(objective.channel.clone(), objective.measure.as_str(), level)
    }

    /// Whether it is of the same sort.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// The parts of a key below `alerts/`.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Service(service) => format!("services/{service}"),
            Self::Method(service, method) => format!("services/{service}/{method}"),
            Self::Channel(channel) => format!("channels/{channel}"),
            Self::JobType(channel, job_type) => format!("channels/{channel}/{job_type}"),
            Self::Objective(channel, measure, None) => {
                format!("channels/{channel}/objectives/{measure}")
            }
            Self::Objective(channel, measure, Some(level)) => {
                format!("channels/{channel}/objectives/{measure}/{level}")
            }
        }
    }

    /// For Prometheus: what tells it apart.
    pub(super) fn labels(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Service(service) => vec![("service", service)],
            Self::Method(service, method) => vec![("service", service), ("method", method)],
            Self::Channel(channel) => vec![("channel", channel.as_str())],
            Self::JobType(channel, job_type) => vec![
                ("channel", channel.as_str()),
                ("job_type", job_type.as_str()),
            ],
            Self::Objective(channel, measure, level) => {
                let mut labels = vec![("channel", channel.as_str()), ("measure", *measure)];
                labels.extend(level.as_deref().map(|level| ("level", level)));
                labels
            }
        }
    }

    /// For Nagios: the host that stands for the whole service or channel.
    pub(super) fn host(&self) -> String {
        match self {
            Self::Service(service) | Self::Method(service, _) => format!("service-{service}"),
            Self::Channel(channel) | Self::JobType(channel, _) | Self::Objective(channel, _, _) => {
                format!("channel-{channel}")
            }
        }
    }

    /// For Nagios: what it is of its host; nothing for the whole.
    pub(super) fn part(&self) -> Option<String> {
        match self {
            Self::Service(_) | Self::Channel(_) => None,
            Self::Method(_, method) => Some(method.clone()),
            Self::JobType(_, job_type) => Some(job_type.to_string()),
            Self::Objective(_, measure, None) => Some((*measure).to_owned()),
            Self::Objective(_, measure, Some(level)) => Some(format!("{measure} {level}")),
        }
    }
}

/// As people call it.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(service) => f.write_str(service),
            Self::Method(service, method) => write!(f, "{service}/{method}"),
            Self::Channel(channel) => write!(f, "channel {channel}"),
            Self::JobType(channel, job_type) => write!(f, "{job_type} of channel {channel}"),
            Self::Objective(channel, measure, level) => {
                write!(f, "{measure} of ")?;
                level
                    .iter()
                    .try_for_each(|level| write!(f, "{level} of "))?;
                write!(f, "channel {channel}")
            }
        }
    }
}
