//! Into a store.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;
use polling_model::{ChannelId, Generator, JobId, SharedClock};
use scheduler_lib::{
    SharedStore,
    store::{ExportedJob, ImportedJob, MAX_PAGE, Registered},
};
use serde::Serialize;

use super::{Told, open};
use scheduler_web::suggest;

use crate::config::{ChannelConfig, Config};

/// Most problems that are told one by one.
const MAX_TOLD: usize = 20;

/// What is imported.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scheduler import mastodon jobs.jsonl
  zcat jobs.jsonl.gz | scheduler import mastodon

Jobs that exist are left as they are, so an import that broke off is begun again, or goes on behind
the job that it names: --after posts:42.
Exit codes: 0 every job is in the store, 1 some are not, or a problem, 2 a wrong command line.")]
pub struct Import {
    /// The channel's name.
    channel: ChannelId,

    /// What `export` wrote; standard input unless given.
    file: Option<PathBuf>,

    /// Skips the lines up to this job's, itself included.
    #[arg(long, value_name = "JOB")]
    after: Option<JobId>,

    #[command(flatten)]
    told: Told,
}

/// How an import went.
#[derive(Debug, Default, Serialize)]
struct Imported {
    created: usize,
    existing: usize,
    skipped: usize,
    /// Lines that are no jobs of this channel.
    refused: usize,
    problems: Vec<String>,
}

impl Import {
    /// Puts every job of the file into the channel's store.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or the store fails: with the job behind which to go on.
    pub async fn execute(&self, config: &Config, clock: &SharedClock) -> anyhow::Result<ExitCode> {
        let (store, _) = open(config, &self.channel, clock).await?;
        let settings = &config.channels[&self.channel];
        let input: Box<dyn BufRead> = match &self.file {
            Some(file) => {
                let opened = File::open(file);
                let what = || format!("{} cannot be read", file.display());
                Box::new(BufReader::new(opened.with_context(what)?))
            }
            None => Box::new(BufReader::new(io::stdin())),
        };
        let mut import = Importing {
            store,
            clock: SharedClock::clone(clock),
            generator: Generator::from_os(),
            bar: self.told.bar(0)?,
            batch: Vec::with_capacity(MAX_PAGE),
            last: None,
            done: Imported::default(),
        };
        let mut skipping = self.after.clone();
        for (number, line) in (1u64..).zip(input.lines()) {
            let line = line.with_context(|| format!("line {number} cannot be read"))?;
            if line.trim().is_empty() {
                continue;
            }
            match parse(&line, settings) {
                Ok(job) if skipping.is_some() => {
                    skipping = skipping.filter(|after| *after != job.id);
                    import.done.skipped += 1;
                }
                Ok(job) => import.take(job).await?,
                Err(_) if skipping.is_some() => import.done.skipped += 1,
                Err(what) => import.done.refuse(number, &what),
            }
        }
        if let Some(after) = skipping {
            bail!("--after {after}: the file has no such job");
        }
        import.flush().await?;
        import.bar.finish_and_clear();
        self.tell(&import.done)
    }

    fn tell(&self, done: &Imported) -> anyhow::Result<ExitCode> {
        let Imported {
            created,
            existing,
            refused,
            ..
        } = done;
        if !self.told.json {
            let mut err = io::stderr().lock();
            for problem in &done.problems {
                writeln!(err, "{problem}")?;
            }
            if *refused > done.problems.len() {
                writeln!(err, "and {} more", refused - done.problems.len())?;
            }
        }
        let words = format!(
            "{created} jobs of channel {} imported, {existing} were there, {refused} refused",
            self.channel
        );
        self.told.tell(done, &words)?;
        Ok(match refused {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        })
    }
}

impl Imported {
    fn refuse(&mut self, number: u64, what: &str) {
        self.refused += 1;
        if self.problems.len() < MAX_TOLD {
            self.problems.push(format!("line {number}: {what}"));
        }
    }
}

/// An import under way.
struct Importing {
    store: SharedStore,
    clock: SharedClock,
    generator: Generator,
    bar: ProgressBar,
    batch: Vec<ImportedJob>,
    /// The last job that is known to be in the store.
    last: Option<JobId>,
    done: Imported,
}

impl Importing {
    async fn take(&mut self, job: ExportedJob) -> anyhow::Result<()> {
        let incarnation = self.generator.nonce();
        self.batch.push(ImportedJob { job, incarnation });
        if self.batch.len() < MAX_PAGE {
            return Ok(());
        }
        self.flush().await
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        let Some(last) = batch.last().map(|one| one.job.id.clone()) else {
            return Ok(());
        };
        let count = batch.len() as u64;
        let imported = self.store.import(batch, self.clock.now_ms()).await;
        let imported = imported.with_context(|| match &self.last {
            Some(last) => {
                format!("it broke off: when the store is well, go on with --after {last}")
            }
            None => "nothing is known to be imported".to_owned(),
        })?;
        let created = imported.iter().filter(|one| **one == Registered::Created);
        let created = created.count();
        self.done.created += created;
        self.done.existing += imported.len() - created;
        self.bar.inc(count);
        self.last = Some(last);
        Ok(())
    }
}

fn parse(line: &str, settings: &ChannelConfig) -> Result<ExportedJob, String> {
    let job: ExportedJob = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if settings.job_types.contains_key(&job.job_type) {
        return Ok(job);
    }
    let known: Vec<_> = settings
        .job_types
        .keys()
        .map(|name| name.as_str())
        .collect();
    Err(suggest::unknown("job type", job.job_type.as_str(), &known))
}
