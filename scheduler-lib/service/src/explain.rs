//! What `scheduler explain` tells.

use anyhow::{Context, bail};
use polling_model::{ChannelId, JobId, SharedClock};
use polling_transport::{SharedQueue, memory::MemoryQueue};
use scheduler_lib::{Channel, Registry, Scheduler, explain::Explanation};

use scheduler_web::suggest;

use crate::{
    config::{ChannelConfig, Config, StoreKind},
    servers,
};

/// Why a job is where it is, from the channel's own store and limits; neither a scheduler nor a
/// queue is needed.
///
/// # Errors
///
/// That there is no such channel or job, or that its store cannot be read.
pub async fn explain(
    config: &Config,
    clock: &SharedClock,
    channel: &ChannelId,
    job: &JobId,
) -> anyhow::Result<Explanation> {
    let Some(found) = config.channels.get(channel) else {
        let known: Vec<_> = config.channels.keys().map(ChannelId::as_str).collect();
        bail!(suggest::unknown("channel", channel.as_str(), &known));
    };
    if found.store == StoreKind::Memory {
        bail!(
            "channel {channel} is in the memory of the scheduler that runs; ask that: \
             curl -H 'accept: text/plain' http://{}/v1/channels/{channel}/jobs/{job}/explain",
            config.admin.listen
        );
    }
    let registry = registry(channel, found, clock).await?;
    Ok(registry.explain(job).await?)
}

/// The registry of a channel whose queues are none of ours: it sends and receives nothing.
async fn registry(
    id: &ChannelId,
    config: &ChannelConfig,
    clock: &SharedClock,
) -> anyhow::Result<Registry> {
    let found = servers::open_store(id, config, clock).await?;
    let no_queue =
        || -> SharedQueue { MemoryQueue::builder("none", SharedClock::clone(clock)).build() };
    let mut channel = Channel::builder(id.clone(), found.store)
        .ledger(found.ledger)
        .default_level(config.default_level.clone())
        .limits(config.limits.clone())
        .completed(no_queue())
        .dead_letter(no_queue());
    for (job_type, rules) in &config.job_types {
        channel = channel.job_type(job_type.clone(), rules.clone(), no_queue());
    }
    let scheduler = Scheduler::builder()
        .clock(SharedClock::clone(clock))
        .channel(channel.build()?)
        .build();
    scheduler
        .registry(id)
        .context("a scheduler serves the channel it was built with")
}
