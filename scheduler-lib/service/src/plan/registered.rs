//! The jobs that are registered, counted.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use polling_model::{AccountId, ChannelId, JobType, ServiceLevel, SharedClock};
use scheduler_lib::store::MAX_PAGE;

use super::given::Jobs;
use crate::{
    config::{ChannelConfig, StoreKind},
    servers,
};

#[derive(Default)]
struct Count {
    jobs: u64,
    accounts: BTreeSet<AccountId>,
}

/// Pages through the channel's store. A bar shows how far it is, if standard error is a terminal.
pub(super) async fn count(
    channel: &ChannelId,
    settings: &ChannelConfig,
    clock: &SharedClock,
) -> anyhow::Result<Vec<Jobs>> {
    ensure!(
        settings.store != StoreKind::Memory,
        "--registered: channel {channel} keeps its jobs in the memory of the scheduler, where nobody else can count them; say with --jobs how many there are"
    );
    let unreachable = || {
        format!(
            "--registered: the store of channel {channel} cannot be read; say with --jobs how many jobs there are, or try again"
        )
    };
    let found = servers::open_store(channel, settings, clock).await;
    let found = found.with_context(unreachable)?;
    let bar = ProgressBar::new(found.counts.registered);
    bar.set_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} jobs, {elapsed}",
    )?);
    let mut counts: BTreeMap<(JobType, ServiceLevel), Count> = BTreeMap::new();
    let mut from = None;
    loop {
        let page = found.store.list(from.as_ref(), MAX_PAGE).await;
        let page = page.with_context(unreachable)?;
        bar.inc(page.records.len() as u64);
        for record in page.records {
            let count = counts.entry((record.state.job_type, record.state.level));
            let count = count.or_default();
            count.jobs += 1;
            count.accounts.insert(record.state.account);
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    bar.finish_and_clear();
    let jobs = counts.into_iter().map(|((job_type, level), count)| Jobs {
        job_type,
        level: Some(level),
        jobs: count.jobs,
        accounts: Some(count.accounts.len() as u64),
    });
    Ok(jobs.collect())
}
