//! `scheduler export` and `scheduler import`: a channel's jobs as lines of JSON, to move them to
//! another store, or to another number of shards.

mod export;
mod import;

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use polling_model::{ChannelId, SharedClock};
use scheduler_lib::SharedStore;
use serde::Serialize;

pub use self::{export::Export, import::Import};
use scheduler_web::suggest;

use crate::{
    config::{Config, StoreKind},
    servers,
};

/// What is told at the end, on standard error.
#[derive(Debug, Args)]
struct Told {
    /// Tells the figures as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,

    /// Tells problems only.
    #[arg(long)]
    quiet: bool,
}

/// The store of a channel, and how many jobs are in it.
async fn open(
    config: &Config,
    channel: &ChannelId,
    clock: &SharedClock,
) -> anyhow::Result<(SharedStore, u64)> {
    let known: Vec<_> = config.channels.keys().map(ChannelId::as_str).collect();
    let settings = config.channels.get(channel);
    let settings =
        settings.with_context(|| suggest::unknown("channel", channel.as_str(), &known))?;
    ensure!(
        settings.store != StoreKind::Memory,
        "channel {channel} keeps its jobs in the memory of the scheduler, where nobody else reaches them"
    );
    let found = servers::open_store(channel, settings, clock).await;
    let found = found.with_context(|| format!("the store of channel {channel} cannot be used"))?;
    Ok((found.store, found.counts.registered))
}

impl Told {
    /// How far it is; of so many jobs, if they are known. Only on a terminal.
    fn bar(&self, jobs: u64) -> anyhow::Result<ProgressBar> {
        if self.quiet || self.json || !io::stderr().is_terminal() {
            return Ok(ProgressBar::hidden());
        }
        let (bar, style) = match jobs {
            0 => (ProgressBar::no_length(), "{pos} jobs, {per_sec}, {elapsed}"),
            jobs => (
                ProgressBar::new(jobs),
                "{bar:30} {pos}/{len} jobs, {per_sec}, {elapsed}",
            ),
        };
        bar.set_style(ProgressStyle::with_template(style)?);
        Ok(bar)
    }

    fn tell(&self, figures: &impl Serialize, words: &str) -> anyhow::Result<()> {
        let mut err = io::stderr().lock();
        if self.json {
            writeln!(err, "{}", serde_json::to_string(figures)?)?;
        } else if !self.quiet {
            writeln!(err, "{words}")?;
        }
        Ok(())
    }
}
