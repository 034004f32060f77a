//! The command line.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand, ValueEnum};
use polling_model::{ChannelId, JobId, SharedClock, SystemClock};
use polling_ops::{logs::Json, objectives};
use serde::Serialize;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::{
    adding::AddChannel,
    check,
    config::{Config, ENVIRONMENT_PREFIX},
    explain, moving, plan, run,
    servers::{Created, create_queues},
    settings, traces,
};

/// A configuration that shows every field.
pub const EXAMPLE_CONFIG: &str = include_str!("../scheduler.example.toml");

const LONG_HELP: &str = "\
First steps:
  scheduler example-config > scheduler.toml    a configuration with every field explained
  scheduler add-channel NAME --job-type ...    or a channel of yours, with its queues and permissions
  scheduler create-queues                      the queues it names, once
  scheduler --check                            is everything it names there, and as it should be?
  scheduler                                    run
  scheduler plan --jobs posts=1000             how stale will items be, and what breaks first?
  scheduler objectives --rules > rules.yaml    alerts of Prometheus for what is promised

Move a channel's jobs to another store, or to another number of shards:
  scheduler export mastodon > jobs.jsonl       then change the configuration
  scheduler import mastodon jobs.jsonl

Register a job, and look at it:
  curl -d '{\"job_type\": \"posts\", \"account\": \"42\"}' localhost:7070/v1/channels/mastodon/jobs
  curl localhost:7070/v1/channels/mastodon/jobs/posts:42
  scheduler explain mastodon posts:42          why is it polled when it is?

Any value of the configuration can be set by the environment: POLLING__ADMIN__LISTEN is
admin.listen. SQS takes AWS_REGION, AWS_ENDPOINT_URL_SQS and credentials from the usual places.

SIGTERM or SIGINT stops; a second one ends at once. Killing the process loses nothing.
Exit codes: 0 done, 1 a problem, 2 a wrong command line.";

/// Keeps the jobs of channels in their polling cycle.
#[derive(Debug, Parser)]
#[command(name = "scheduler", version, after_long_help = LONG_HELP, args_conflicts_with_subcommands = false)]
pub struct Cli {
    /// The configuration.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "scheduler.toml",
        env = "POLLING_CONFIG"
    )]
    config: PathBuf,

    /// Reads the configuration, opens every server it names, tells what is there, and ends.
    #[arg(long)]
    check: bool,

    /// Tells it as JSON.
    #[arg(long, requires = "check")]
    json: bool,

    /// How to write logs.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        env = "POLLING_LOG_FORMAT"
    )]
    log_format: LogFormat,

    /// What to log: a level, or targets with levels such as `info,scheduler_lib=debug`.
    #[arg(
        long,
        global = true,
        value_name = "FILTER",
        default_value = "info",
        env = "RUST_LOG"
    )]
    log: String,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Creates the queues that the configuration names, with their redrive policies, and ends.
    CreateQueues,
    /// Writes a channel into the configuration, creates its queues, and prints the permissions that it
    /// needs.
    AddChannel(Box<AddChannel>),
    /// Prints a configuration that explains every field.
    ExampleConfig,
    /// Tells why a job is where it is, and when it is polled next.
    Explain {
        /// The channel's name.
        channel: ChannelId,
        /// The job's id, such as `posts:42`.
        job: JobId,
        /// Tells it as JSON.
        #[arg(long = "json")]
        as_json: bool,
    },
    /// Tells what to expect: how stale items of each level are, what each limit is used for, and
    /// what breaks first as accounts are added or a limit is cut.
    Plan(Box<plan::Arguments>),
    /// Tells what is promised of freshness, or writes the rules of alerts that watch over it.
    Objectives {
        /// Writes recording and alerting rules for Prometheus.
        #[arg(long)]
        rules: bool,
    },
    /// Tells every setting that may change while it runs, with its static value.
    Settings(settings::Tell),
    /// Writes a channel's jobs as lines of JSON, to move them into another store.
    Export(moving::Export),
    /// Puts jobs that `export` wrote into a channel's store.
    Import(moving::Import),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// What kept it from being done.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        if let Some(Command::ExampleConfig) = self.command {
            write!(io::stdout().lock(), "{EXAMPLE_CONFIG}")?;
            return Ok(ExitCode::SUCCESS);
        }
        if self.check {
            self.log(None)?;
            return self.check().await;
        }
        if let Some(Command::AddChannel(adding)) = &self.command {
            self.log(None)?;
            return adding.execute(&self.config, environment()).await;
        }
        let config = Config::load(&self.config, environment())?;
        if let Some(Command::Settings(tell)) = &self.command {
            return tell.execute(&config);
        }
        let (layer, exporting) = match &self.command {
            None => traces::start(&config.otlp)?.unzip(),
            Some(_) => (None, None),
        };
        self.log(layer)?;
        let clock: SharedClock = Arc::new(SystemClock);
        match &self.command {
            Some(Command::CreateQueues) => return tell_created(&create_queues(&config).await),
            Some(Command::Plan(plan)) => return plan.execute(&config, &clock).await,
            Some(Command::Export(export)) => return export.execute(&config, &clock).await,
            Some(Command::Import(import)) => return import.execute(&config, &clock).await,
            Some(Command::Objectives { rules }) => return tell_objectives(&config, *rules),
            Some(Command::Explain {
                channel,
                job,
                as_json,
            }) => return tell_why(&config, &clock, channel, job, *as_json).await,
            Some(Command::ExampleConfig | Command::AddChannel(_) | Command::Settings(_)) | None => {
            }
        }
        let stop = run::stop_on_signals()?;
        let listener = run::listen(config.admin.listen).await?;
        let ran = run::run(&config, listener, stop).await;
        if let Some(exporting) = exporting {
            exporting.end().await;
        }
        ran?;
        Ok(ExitCode::SUCCESS)
    }

    fn log(&self, traces: Option<traces::Listening>) -> anyhow::Result<()> {
        let filter = EnvFilter::try_new(&self.log)?;
        let logs = fmt::layer().with_writer(io::stderr);
        let logs = match self.log_format {
            LogFormat::Text => logs.boxed(),
            LogFormat::Json => logs.fmt_fields(Json).event_format(Json).boxed(),
        };
        let logs = logs.with_filter(filter);
        tracing_subscriber::registry()
            .with(traces)
            .with(logs)
            .init();
        Ok(())
    }

    async fn check(&self) -> anyhow::Result<ExitCode> {
        let mut out = io::stdout();
        let config = match Config::load(&self.config, environment()) {
            Ok(config) => config,
            Err(error) if self.json => {
                let problems = error.problems.iter().map(ToString::to_string).collect();
                let refused = Refused {
                    ok: false,
                    problems,
                };
                writeln!(out, "{}", serde_json::to_string_pretty(&refused)?)?;
                return Ok(ExitCode::FAILURE);
            }
            Err(error) => return Err(error.into()),
        };
        let clock: SharedClock = Arc::new(SystemClock);
        let report = check::check(&config, &clock).await;
        match self.json {
            true => writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?,
            false => writeln!(out, "{report}")?,
        }
        Ok(if report.ok {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

async fn tell_why(
    config: &Config,
    clock: &SharedClock,
    channel: &ChannelId,
    job: &JobId,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let told = explain::explain(config, clock, channel, job).await?;
    let mut out = io::stdout();
    match as_json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?,
        false => write!(out, "{told}")?,
    }
    Ok(ExitCode::SUCCESS)
}

fn tell_objectives(config: &Config, as_rules: bool) -> anyhow::Result<ExitCode> {
    let (mut out, told) = (io::stdout(), config.objectives());
    if as_rules {
        write!(out, "{}", objectives::rules(&told))?;
        return Ok(ExitCode::SUCCESS);
    }
    for objective in told {
        writeln!(out, "{objective}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A configuration that was refused, as JSON.
#[derive(Serialize)]
struct Refused {
    ok: bool,
    problems: Vec<String>,
}

fn tell_created(created: &[Created]) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout();
    let width = created
        .iter()
        .map(|queue| queue.name.len())
        .max()
        .unwrap_or_default();
    for Created {
        channel,
        role,
        name,
        result,
    } in created
    {
        match result {
            Ok(()) => writeln!(out, "ok      {name:width$}  {channel}: {role}")?,
            Err(problem) => writeln!(out, "FAILED  {name:width$}  {channel}: {role}: {problem}")?,
        }
    }
    let all = created.iter().all(|queue| queue.result.is_ok());
    Ok(if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The variables that override the configuration.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX))
}
