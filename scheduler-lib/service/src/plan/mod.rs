//! `scheduler plan`: what a configuration comes to before, or after, its jobs are registered.

mod files;
mod given;
mod growth;
mod plot;
mod registered;
mod table;
mod text;

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use polling_model::{ChannelId, JobType, ServiceLevel, SharedClock};
use scheduler_lib::plan::{JobGroup, Plan, PlanInput, PlannedLimit, Rates, plan};
use serde::Serialize;

use self::given::{Jobs, Rate, Share};
use scheduler_web::suggest;

use crate::config::{ChannelConfig, Config};

const EXAMPLES: &str = "\
Examples:
  scheduler plan --jobs posts.gold=1000 --jobs posts=9000 --limit app=5000/15m
  scheduler plan --jobs posts=9000 --trace items.csv.gz --other app=40% --plot plan.svg
  scheduler plan --registered --accounts x2 --json

Exit codes: 0 all promises of max_age fit the limits, 1 some do not, or a problem, 2 a wrong command line.";

/// What jobs bring if nobody says, in items per day.
const USUAL_RATE: f64 = 1.0;

/// What is asked.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Which channel; needed where the configuration has several.
    #[arg(long, value_name = "NAME")]
    channel: Option<ChannelId>,

    /// How many jobs there are of a type, or of a level of it; of how many accounts, if not of as
    /// many: `posts.gold=1000`, `posts=9000:3000`. Without a level, of the channel's default.
    #[arg(long, value_name = "TYPE[.LEVEL]=JOBS[:ACCOUNTS]")]
    jobs: Vec<Jobs>,

    /// Counts the jobs that are registered in the channel's store, by type and level.
    #[arg(long)]
    registered: bool,

    /// Items that each job brings: `3.5/day`, `posts.gold=2/h`. 1/day unless given.
    #[arg(long, value_name = "[TYPE[.LEVEL]=]ITEMS/TIME")]
    rate: Vec<Rate>,

    /// A file of rows `account,items_per_day` that stands for all accounts.
    #[arg(long, value_name = "FILE.csv")]
    rates: Option<PathBuf>,

    /// A file of rows `account,unix_seconds`, one for each item, that stands for all accounts;
    /// compressed with gzip or not.
    #[arg(long, value_name = "FILE.csv", conflicts_with = "rates")]
    trace: Option<PathBuf>,

    /// A limit in place of the rules': `app=5000/15m`, `account:{account}=300/15m`. One of a scope
    /// that no rules name is of all jobs, as a worker would report it.
    #[arg(long, value_name = "SCOPE=CALLS/WINDOW", value_parser = given::limit)]
    limit: Vec<PlannedLimit>,

    /// What other products take of a limit: `app=40%`.
    #[arg(long, value_name = "SCOPE=SHARE")]
    other: Vec<Share>,

    /// Multiplies accounts and their jobs: `x2`.
    #[arg(long, value_name = "xFACTOR", default_value = "x1", value_parser = given::factor)]
    accounts: f64,

    /// Tells it as JSON.
    #[arg(long = "json")]
    as_json: bool,

    /// Also draws how delay grows with accounts, and where things break, as SVG.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

/// A plan and what it is of.
struct Planned {
    channel: ChannelId,
    input: PlanInput,
    plan: Plan,
}

/// The same as JSON.
#[derive(Serialize)]
struct Told<'a> {
    channel: &'a ChannelId,
    accounts: f64,
    #[serde(flatten)]
    plan: &'a Plan,
}

impl Arguments {
    /// Makes the plan and tells it on standard output.
    ///
    /// # Errors
    ///
    /// What is missing or wrong, and what to do.
    pub async fn execute(&self, config: &Config, clock: &SharedClock) -> anyhow::Result<ExitCode> {
        let planned = self.planned(config, clock).await?;
        if let Some(file) = &self.plot {
            plot::draw(file, &planned)?;
        }
        let mut out = io::stdout().lock();
        if self.as_json {
            let told = Told {
                channel: &planned.channel,
                accounts: planned.input.accounts,
                plan: &planned.plan,
            };
            writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?;
        } else {
            let paint = text::Paint::new(out.is_terminal());
            table::write(&mut out, &planned, paint)?;
        }
        Ok(if planned.plan.alarms.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    async fn planned(&self, config: &Config, clock: &SharedClock) -> anyhow::Result<Planned> {
        let (channel, settings) = self.channel(config)?;
        let jobs = self.jobs(channel, settings, clock).await?;
        let (of_all, mut notes) = self.rates_of_all()?;
        let mut groups = Vec::with_capacity(jobs.len());
        for jobs in jobs {
            groups.push(self.group(&jobs, settings, of_all.as_ref())?);
        }
        let input = PlanInput {
            groups,
            limits: self.limit.clone(),
            others: self.other.iter().map(Share::of_scope).collect(),
            slot_width: Duration::from_millis(settings.ring.width_ms().unsigned_abs()),
            accounts: self.accounts,
            ..PlanInput::new(settings.job_types.clone())
        };
        let mut plan = plan(&input)?;
        plan.notes.append(&mut notes);
        if of_all.is_none()
            && self.rate.is_empty()
            && plan.levels.iter().any(|level| level.adaptive)
        {
            plan.notes.push(format!(
                "each job is taken to bring {USUAL_RATE} item per day: adaptive jobs are polled by what they bring, so give --rates or --trace"
            ));
        }
        Ok(Planned {
            channel: channel.clone(),
            input,
            plan,
        })
    }

    fn channel<'a>(
        &self,
        config: &'a Config,
    ) -> anyhow::Result<(&'a ChannelId, &'a ChannelConfig)> {
        let names: Vec<_> = config.channels.keys().map(ChannelId::as_str).collect();
        match &self.channel {
            Some(name) => {
                let found = config.channels.get_key_value(name);
                found.with_context(|| suggest::unknown("channel", name.as_str(), &names))
            }
            None => {
                ensure!(
                    names.len() == 1,
                    "the configuration has several channels: say which with --channel, one of {}",
                    names.join(", ")
                );
                config
                    .channels
                    .iter()
                    .next()
                    .context("the configuration has no channel")
            }
        }
    }

    /// What was told, or what is registered, or both: what was told counts then.
    async fn jobs(
        &self,
        channel: &ChannelId,
        settings: &ChannelConfig,
        clock: &SharedClock,
    ) -> anyhow::Result<Vec<Jobs>> {
        let mut jobs = Vec::new();
        if self.registered {
            jobs = registered::count(channel, settings, clock).await?;
        }
        for told in &self.jobs {
            let level = told.level.as_ref().unwrap_or(&settings.default_level);
            let told = Jobs {
                level: Some(level.clone()),
                ..told.clone()
            };
            jobs.retain(|jobs| (&jobs.job_type, &jobs.level) != (&told.job_type, &told.level));
            jobs.push(told);
        }
        if jobs.is_empty() && self.registered {
            bail!(
                "no job is registered in the store of channel {channel}: say with --jobs how many there will be"
            );
        }
        if jobs.is_empty() {
            bail!(
                "say how many jobs there are, `--jobs {}=1000`, for any of {}; or count those in the store with --registered",
                known(settings).first().map_or("posts", String::as_str),
                known(settings).join(", ")
            );
        }
        Ok(jobs)
    }

    fn rates_of_all(&self) -> anyhow::Result<(Option<Rates>, Vec<String>)> {
        let found = match (&self.rates, &self.trace) {
            (Some(file), _) => files::rates(file)?,
            (None, Some(file)) => files::trace(file)?,
            (None, None) => return Ok((None, Vec::new())),
        };
        Ok((Some(found.0), found.1))
    }

    fn group(
        &self,
        jobs: &Jobs,
        settings: &ChannelConfig,
        of_all: Option<&Rates>,
    ) -> anyhow::Result<JobGroup> {
        let Jobs { job_type, .. } = jobs;
        let level = jobs.level.as_ref().unwrap_or(&settings.default_level);
        let Some(rules) = settings.job_types.get(job_type) else {
            let names: Vec<_> = settings.job_types.keys().map(JobType::as_str).collect();
            bail!(
                "--jobs: {}",
                suggest::unknown("job type", job_type.as_str(), &names)
            );
        };
        let levels: Vec<_> = rules.levels.keys().map(ServiceLevel::as_str).collect();
        if !rules.levels.contains_key(level)
            && *level != settings.default_level
            && !self.registered
            && let Some(near) = suggest::nearest(level.as_str(), levels)
        {
            bail!("--jobs: {job_type} has no rules for level {level}: did you mean {near}?");
        }
        // What is told of a level is stronger than what is told of its type, and that than of all.
        let told = self.rate.iter().filter(|rate| rate.is_of(job_type, level));
        let told = told.max_by_key(|rate| rate.narrowness());
        let rates = match (told, of_all) {
            (Some(told), of_all) if told.narrowness() > 0 || of_all.is_none() => {
                Rates::same(told.per_day)?
            }
            (_, Some(rates)) => rates.clone(),
            (_, None) => Rates::same(USUAL_RATE)?,
        };
        Ok(JobGroup {
            job_type: job_type.clone(),
            level: level.clone(),
            jobs: jobs.jobs,
            accounts: jobs.accounts,
            rates,
        })
    }
}

/// Types and levels that have rules, as `--jobs` takes them.
fn known(settings: &ChannelConfig) -> Vec<String> {
    let mut known = Vec::new();
    for (job_type, rules) in &settings.job_types {
        known.push(job_type.to_string());
        let levels = rules.levels.keys();
        known.extend(levels.map(|level| format!("{job_type}.{level}")));
    }
    known
}
