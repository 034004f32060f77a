//! Settings that change while the scheduler runs: read, checked, and taken up by what runs.

mod catalog;
mod steering;
mod tell;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::anyhow;
use polling_model::{ChannelId, Generator, JobType, SharedClock, chain};
use polling_ops::config::{
    self, Catalog, Consul, Current, Fault, FileSource, Key, Layers, RedisSource,
};
use polling_transport::redis::link::LinkOptions;
use scheduler_lib::{Limits, Registry, policy::JobTypeRules};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use toml::{Table, Value};

pub(crate) use self::catalog::{ALERTS, NO_LEVELS};
pub use self::{catalog::catalog, tell::Tell};
use crate::config::{ChannelConfig, Config, ConsulSettings, JobTypeScaling};

/// What of the configuration may change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Steered {
    /// Of each channel.
    pub channels: BTreeMap<ChannelId, SteeredChannel>,
}

/// What of a channel may change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SteeredChannel {
    /// The bounds of the cycle.
    pub limits: Limits,
    /// The kinds of job with their rules.
    pub job_types: BTreeMap<JobType, JobTypeRules>,
    /// Those whose workers are counted.
    pub scaling: BTreeMap<JobType, JobTypeScaling>,
}

/// What holds at present, and what held at the start.
#[derive(Debug, Clone)]
pub struct Settings {
    current: config::Settings<Steered>,
    /// With all defaults.
    base: Arc<Table>,
    /// The source that can be written, if it is followed.
    consul: Option<Consul>,
    clock: SharedClock,
}

impl Settings {
    /// What is followed, for whoever watches it.
    #[must_use]
    pub const fn followed(&self) -> &config::Settings<Steered> {
        &self.current
    }

    /// What holds at present, where it comes from, and what was refused.
    #[must_use]
    pub fn current(&self) -> Arc<Current<Steered>> {
        self.current.current()
    }

    /// Tells every change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Current<Steered>>> {
        self.current.watch()
    }

    /// Every setting that may be changed, with its help and its static value; none if there is no default.
    #[must_use]
    pub fn all(&self) -> Vec<(Key, &'static str, Option<String>)> {
        keys_in(&catalog(), &self.base)
    }
}

/// Starts to follow the sources that the configuration names, until `stop`; `None` if it names none.
///
/// # Errors
///
/// When a source cannot be made of its settings.
pub fn follow(
    config: &Config,
    registries: BTreeMap<ChannelId, Registry>,
    clock: &SharedClock,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Settings>> {
    let sources = &config.settings;
    if !sources.is_given() {
        return Ok(None);
    }
    let (base, layers) = layers(config)?;
    let mut building = config::Settings::over(layers, Arc::clone(clock), Generator::from_os());
    if let Some(file) = &sources.file {
        building = building.source(FileSource::new(file));
    }
    if let Some(redis) = &sources.redis {
        let source = RedisSource::new(redis.url.expose(), &LinkOptions::default(), &redis.key)?;
        building = building.source(source);
    }
    let consul = sources.consul.as_ref().map(ConsulSettings::client);
    let consul = consul.transpose();
    let consul = consul.map_err(|(key, what)| anyhow!("settings.consul.{key}: {what}"))?;
    if let Some(consul) = &consul {
        building = building.source(consul.source());
    }
    if let Some(file) = &sources.keep {
        building = building.keep(file);
    }
    let (current, following) = building.start();
    let steering = steer(current.watch(), registries);
    let stop = stop.clone();
    tokio::spawn(async move {
        let both = async { tokio::join!(following, steering) };
        // Nothing is left to do once it ends.
        let _ = stop.run_until_cancelled(both).await;
    });
    Ok(Some(Settings {
        current,
        base: Arc::new(base),
        consul,
        clock: Arc::clone(clock),
    }))
}

/// The static values, and what may be laid over them.
fn layers(config: &Config) -> anyhow::Result<(Table, Layers<Steered>)> {
    let base = Table::try_from(Steered::of(config))?;
    let layers = Layers::new(base.clone(), catalog(), Steered::faults)?;
    Ok((base, layers))
}

/// Every setting with its help and its static value.
fn keys_in(catalog: &Catalog, base: &Table) -> Vec<(Key, &'static str, Option<String>)> {
    let keys = catalog.keys_in(base).into_iter();
    keys.map(|(key, setting, value)| (key, setting.help(), value.map(text)))
        .collect()
}

/// A value as a source would have it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Has every change taken up, and first what an earlier run kept.
async fn steer(
    mut watch: watch::Receiver<Arc<Current<Steered>>>,
    registries: BTreeMap<ChannelId, Registry>,
) {
    loop {
        let current: Arc<Current<Steered>> = Arc::clone(&watch.borrow_and_update());
        for (id, channel) in &current.value.channels {
            if let Some(registry) = registries.get(id) {
                channel.take_up(registry);
            }
        }
        if watch.changed().await.is_err() {
            return;
        }
    }
}

impl SteeredChannel {
    /// What was checked is in bounds, so nothing is refused here.
    fn take_up(&self, registry: &Registry) {
        for (job_type, rules) in &self.job_types {
            if registry.rules(job_type).is_some_and(|held| held != *rules)
                && let Err(error) = registry.set_rules(job_type, rules.clone())
            {
                tracing::error!(channel = %registry.channel(), %job_type, error = chain(&error), "rules cannot be replaced");
            }
        }
        if *registry.limits() != self.limits
            && let Err(error) = registry.set_limits(self.limits.clone())
        {
            tracing::error!(channel = %registry.channel(), error = chain(&error), "limits cannot be replaced");
        }
    }
}

impl Steered {
    /// As it was at the start.
    fn of(config: &Config) -> Self {
        let channel = |(id, channel): (&ChannelId, &ChannelConfig)| {
            let scaling = config.scaling.channels.get(id);
            let steered = SteeredChannel {
                limits: channel.limits.clone(),
                job_types: channel.job_types.clone(),
                scaling: scaling.cloned().unwrap_or_default(),
            };
            (id.clone(), steered)
        };
        Self {
            channels: config.channels.iter().map(channel).collect(),
        }
    }

    /// The rules that single types do not hold.
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (id, channel) in &self.channels {
            let at = ["channels", id.as_str()];
            if let Err(error) = channel.limits.validate() {
                faults.push(Fault::at([at[0], at[1], "limits"], error.to_string()));
            }
            for (job_type, rules) in &channel.job_types {
                if let Err(error) = rules.validate() {
                    let at = [at[0], at[1], "job_types", job_type.as_str()];
                    faults.push(Fault::at(at, error.to_string()));
                }
            }
            for (job_type, rules) in &channel.scaling {
                if let Err(error) = rules.0.validate() {
                    let at = [at[0], at[1], "scaling", job_type.as_str(), error.rule];
                    faults.push(Fault::at(at, format!("it needs {}", error.bounds)));
                }
            }
        }
        faults
    }
}
