//! From a configuration and the servers it names to a scheduler.

use std::collections::BTreeMap;

use polling_model::{SharedClock, chain};
use polling_transport::SharedQueue;
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

/// Opens every server and builds the scheduler; nothing runs yet.
///
/// # Errors
///
/// [`AssembleError`] that tells every server that cannot be used, and every setting of a queue that
/// contradicts the limits.
pub async fn assemble(config: &Config, clock: SharedClock) -> Result<Scheduler, AssembleError> {
    let mut builder = Scheduler::builder().clock(SharedClock::clone(&clock));
    let mut problems = Vec::new();
    for parts in servers::open(config, &clock).await {
        let id = parts.channel.clone();
        for warning in parts.warnings() {
            tracing::warn!(channel = %id, "{warning}");
        }
        match channel(&config.channels[&id], parts) {
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

fn channel(config: &ChannelConfig, parts: ChannelParts) -> Result<Channel, Vec<String>> {
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
    let mut queues: BTreeMap<Role, SharedQueue> = found.collect();
    let mut builder = Channel::builder(parts.channel, store.store)
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
