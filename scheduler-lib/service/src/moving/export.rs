//! Out of a store.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use polling_model::{ChannelId, SharedClock};
use scheduler_lib::store::{ExportedJob, MAX_PAGE};
use serde::Serialize;

use super::{Told, open};
use crate::config::Config;

/// What is exported.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scheduler export mastodon > jobs.jsonl
  scheduler export mastodon --to jobs.jsonl --quiet

Stop the channel's schedulers before: what is polled after a job was written is not in the file.
Exit codes: 0 every job is written, 1 a problem, 2 a wrong command line.")]
pub struct Export {
    /// The channel's name.
    channel: ChannelId,

    /// Writes to a file, which must not exist, instead of standard output.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,

    #[command(flatten)]
    told: Told,
}

impl Export {
    /// Writes every job.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or nothing can be written.
    pub async fn execute(&self, config: &Config, clock: &SharedClock) -> anyhow::Result<ExitCode> {
        let (store, registered) = open(config, &self.channel, clock).await?;
        let mut out: Box<dyn Write> = match &self.to {
            Some(file) => {
                let created = File::create_new(file);
                let what = || format!("{} cannot be created", file.display());
                Box::new(BufWriter::new(created.with_context(what)?))
            }
            None => Box::new(BufWriter::new(io::stdout())),
        };
        let bar = self.told.bar(registered)?;
        let (mut jobs, mut from) = (0, None);
        loop {
            let page = store.list(from.as_ref(), MAX_PAGE).await?;
            bar.inc(page.records.len() as u64);
            for record in page.records {
                serde_json::to_writer(&mut out, &ExportedJob::from(record))?;
                out.write_all(b"\n")?;
                jobs += 1;
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        out.flush().context("the last jobs cannot be written")?;
        bar.finish_and_clear();
        self.told.tell(
            &Exported { jobs },
            &format!("{jobs} jobs of channel {} exported", self.channel),
        )?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Serialize)]
struct Exported {
    jobs: usize,
}
