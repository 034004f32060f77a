//! From a configuration and the servers it names to a scheduler.

use std::{collections::BTreeMap, sync::Arc};

use polling_model::{Observation, SharedClock, SharedObserver, chain};
use polling_ops::metrics::Metrics;
use polling_transport::{Metered, SharedQueue};
use scheduler_lib::{Channel, Scheduler};

use crate::{
    config::{ChannelConfig, Config},
    servers::{self, ChannelParts, Finding, Role},
};

/// Why no scheduler could be made. Its text has a line for each reason.
#[derive(Debug, thiserror::Error)]
#[error("{}", .problems.join("\n"))]
pub struct AssembleError {
    /// Everything found, each with its channel.
    pub problems: Vec<String>,
}

/// Opens every server and builds the scheduler; nothing runs yet. What it does is told to `metrics`,
/// with each call to its stores and queues; what the cycle does also to `also`.
///
/// # Errors
///
/// [`AssembleError`] that tells every server that cannot be used, and every setting of a queue that
/// contradicts the limits.
pub async fn assemble(
    config: &Config,
    clock: SharedClock,
    metrics: &Metrics,
    also: SharedObserver,
) -> Result<Scheduler, AssembleError> {
    let observer = metrics.observer();
    let counted = SharedObserver::clone(&observer);
    let both = move |observation: Observation<'_>| {
        counted.observe(observation);
        also.observe(observation);
    };
    let mut builder = Scheduler::builder()
        .clock(SharedClock::clone(&clock))
        .observer(Arc::new(both));
    if config.otlp.exports_traces().is_some() {
        builder = builder.traces(config.otlp.trace_ratio);
    }
    let mut problems = Vec::new();
    for parts in servers::open_observed(config, &clock, &observer).await {
        let id = parts.channel.clone();
        for warning in parts.warnings() {
            tracing::warn!(channel = %id, "{warning}");
        }
        match channel(&config.channels[&id], parts, metrics) {
            Ok(channel) => builder = builder.channel(channel),
            Err(found) => {
                problems.extend(
                    found
                        .into_iter()
                        .map(|problem| format!("channel {id}: {problem}")),
                );
            }
        }
    }
    if problems.is_empty() {
        Ok(builder.build())
    } else {
        Err(AssembleError { problems })
    }
}

fn channel(
    config: &ChannelConfig,
    parts: ChannelParts,
    metrics: &Metrics,
) -> Result<Channel, Vec<String>> {
    let observer = metrics.observer();
    let problems: Vec<_> = parts.problems().iter().map(Finding::to_string).collect();
    let Ok(store) = parts.store else {
        return Err(problems);
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let found = parts
        .queues
        .into_iter()
        .filter_map(|part| Some((part.role, part.found.ok()?.queue)));
    let metered = found.map(|(role, queue)| {
        let name = queue.name().to_owned();
        let queue = Metered::new(queue, name, SharedObserver::clone(&observer));
        (role, Arc::new(queue) as SharedQueue)
    });
    let mut queues: BTreeMap<Role, SharedQueue> = metered.collect();
    metrics.watch_queues(queues.values().cloned());
    let store_of = Metered::new(store.store, parts.channel.as_str(), observer);
    let mut builder = Channel::builder(parts.channel, Arc::new(store_of))
        .ledger(store.ledger)
        .default_level(config.default_level.clone())
        .limits(config.limits.clone());
    if let Some(completed) = queues.remove(&Role::Completed) {
        builder = builder.completed(completed);
    }
    if let Some(dead_letter) = queues.remove(&Role::DeadLetter) {
        builder = builder.dead_letter(dead_letter);
    }
    for (role, queue) in queues {
        if let Role::Work(job_type) = role {
            let rules = config.job_types[&job_type].clone();
            builder = builder.job_type(job_type, rules, queue);
        }
    }
    builder.build().map_err(|error| vec![chain(&error)])
}
