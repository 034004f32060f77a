//! What `scheduler explain` tells.

use std::sync::Arc;

use anyhow::{Context, bail};
use polling_model::{ChannelId, JobId, SharedClock};
use scheduler_lib::explain::Explanation;

use crate::{
    assemble::assemble,
    config::{Config, StoreKind},
    suggest,
};

/// Why a job is where it is, from the channel's own store and limits; no scheduler needs to run.
///
/// # Errors
///
/// That there is no such channel or job, or that its servers cannot be used.
pub async fn explain(
    mut config: Config,
    clock: SharedClock,
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
    config.channels.retain(|name, _| name == channel);
    let scheduler = assemble(&config, Arc::clone(&clock)).await;
    let scheduler = scheduler.context("the channel's servers cannot be used")?;
    let registry = scheduler.registry(channel);
    let registry = registry.context("the channel is not served")?;
    Ok(registry.explain(job).await?)
}
