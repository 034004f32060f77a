//! What is watched, and from where on it is told.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use polling_model::chain;
use polling_ops::{
    alerts::{Alerts, Channel, JobTypeOfChannel, Refused, Service, Watched},
    config::{Consul, FileSource, Source},
};
use serde::Deserialize;

use super::configuration;
use crate::{client::Call, failure::Failure, session::Session};

/// Services and channels.
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// An interface whose services are watched; may be repeated.
    #[arg(long, value_name = "FILE")]
    proto: Vec<PathBuf>,

    /// Where interfaces and what they import are looked for; may be repeated. Their own folders, unless set.
    #[arg(long, value_name = "FOLDER", requires = "proto")]
    include: Vec<PathBuf>,

    /// Interfaces as protoc writes them by --descriptor_set_out; may be repeated.
    #[arg(long, value_name = "FILE")]
    descriptor_set: Vec<PathBuf>,

    /// The scheduler's configuration, in which the channels are. Without it the scheduler itself is asked, which does not tell
    /// objectives and bounds of workers.
    #[arg(long, value_name = "FILE", env = "POLLING_CONFIG")]
    config: Option<PathBuf>,

    /// Watches services alone.
    #[arg(long)]
    no_channels: bool,

    /// Thresholds, TOML, as `alerts defaults` prints them.
    #[arg(long, value_name = "FILE")]
    thresholds: Option<PathBuf>,

    /// Thresholds in Consul, whose token is read from CONSUL_HTTP_TOKEN; they go before those of a file.
    #[arg(long, value_name = "URL")]
    consul: Option<String>,

    /// What stands before their keys there.
    #[arg(
        long,
        value_name = "KEY",
        default_value = "polling",
        requires = "consul"
    )]
    prefix: String,
}

/// A channel's queues, as the scheduler tells them.
#[derive(Debug, Deserialize)]
struct Queue {
    role: String,
    job_type: Option<polling_model::JobType>,
    name: String,
}

impl Watch {
    /// All alerts with their thresholds, and which thresholds were refused.
    pub(super) async fn alerts(
        &self,
        session: &mut Session<'_>,
    ) -> Result<(Alerts, Vec<Refused>), Failure> {
        let mut alerts = Alerts::of(&self.watched(session).await?);
        let mut thresholds = BTreeMap::new();
        if let Some(path) = &self.thresholds {
            thresholds.extend(from_file(path).await?);
        }
        if let Some(url) = &self.consul {
            thresholds.extend(from_consul(url, &self.prefix).await?);
        }
        let refused = alerts.read(&thresholds);
        Ok((alerts, refused))
    }

    pub(super) async fn watched(&self, session: &mut Session<'_>) -> Result<Watched, Failure> {
        let mut services = Vec::new();
        if !self.proto.is_empty() {
            let services_of = Service::from_protos(&self.proto, self.includes());
            services.extend(services_of.map_err(|error| Failure::Usage(error.to_string()))?);
        }
        for path in &self.descriptor_set {
            services.extend(from_descriptor_set(path)?);
        }
        services.sort_by(|a, b| a.name.cmp(&b.name));
        services.dedup_by(|a, b| a.name == b.name);
        let (channels, objectives) = match &self.config {
            _ if self.no_channels => (Vec::new(), Vec::new()),
            Some(path) => configuration::read(path)?,
            None => (channels_of(session).await?, Vec::new()),
        };
        Ok(Watched {
            services,
            channels,
            objectives,
        })
    }

    fn includes(&self) -> Vec<PathBuf> {
        if !self.include.is_empty() {
            return self.include.clone();
        }
        let folder = |path: &PathBuf| match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        self.proto.iter().map(folder).collect()
    }
}

fn from_descriptor_set(path: &Path) -> Result<Vec<Service>, Failure> {
    let wrong =
        |what: &dyn std::fmt::Display| Failure::Usage(format!("{}: {what}", path.display()));
    let bytes = fs::read(path).map_err(|error| wrong(&error))?;
    Service::from_descriptor_set(&bytes).map_err(|error| wrong(&error))
}

async fn channels_of(session: &Session<'_>) -> Result<Vec<Channel>, Failure> {
    let strange = |error: serde_json::Error| {
        Failure::Problem(format!(
            "the scheduler's answer cannot be understood: {error}; is it older than this program?"
        ))
    };
    let listed = session.client.json(&Call::get(["v1", "channels"])).await?;
    let mut channels = Vec::new();
    for channel in listed["channels"].as_array().into_iter().flatten() {
        let id: polling_model::ChannelId =
            serde_json::from_value(channel["channel"].clone()).map_err(strange)?;
        let call = Call::get(["v1", "channels", id.as_str(), "queues"]);
        let answer = session.client.json(&call).await?;
        let queues: Vec<Queue> =
            serde_json::from_value(answer["queues"].clone()).map_err(strange)?;
        let of_role = |role| {
            let queue = queues.iter().find(|queue| queue.role == role);
            queue.map(|queue| queue.name.clone())
        };
        let job_types = queues.iter().filter_map(|queue| {
            Some(JobTypeOfChannel {
                id: queue.job_type.clone()?,
                queue: Some(queue.name.clone()),
                workers: None,
            })
        });
        channels.push(Channel {
            completed_queue: of_role("completed"),
            dead_letter_queue: of_role("dead_letter"),
            job_types: job_types.collect(),
            id,
        });
    }
    Ok(channels)
}

async fn from_file(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    if !path.exists() {
        return Err(Failure::Usage(format!("{} is not there", path.display())));
    }
    let found = FileSource::new(path).next().await;
    found.map_err(|error| Failure::Usage(format!("{}: {}", path.display(), chain(&error))))
}

async fn from_consul(url: &str, prefix: &str) -> Result<BTreeMap<String, String>, Failure> {
    let consul = Consul::builder(url)
        .prefix(prefix)
        .token(std::env::var("CONSUL_HTTP_TOKEN").ok())
        .build()
        .map_err(|error| Failure::Usage(chain(&error)))?;
    let entries = consul.list().await;
    let entries = entries.map_err(|error| Failure::NoAnswer(chain(&error)))?;
    Ok(entries
        .into_iter()
        .map(|entry| (entry.key, entry.text))
        .collect())
}
