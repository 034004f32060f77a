//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use polling_model::{ChannelId, chain};
use serde_json::json;

use crate::{
    client::Client,
    commands::{
        alerts, bulk, channel, channels, config, dead_letters, doctor, edit, export, health,
        import, jobs, moving, queues, scale, scopes, slots,
    },
    failure::{EXIT_CODES, Failure},
    output::Output,
    session::{Io, Session},
    token::Token,
};

const EXAMPLES: &str = "\
Examples:
  pollctl health                               is it ready, and if not, why?
  pollctl doctor                               what is set up wrong, and how to mend it
  pollctl list --account 42                    jobs of an account
  pollctl explain posts:42                     why was this not polled at 12:03?
  pollctl channel stop                         the kill switch: nothing more is dispatched
  pollctl channel start                        and back; what was due meanwhile is caught up
  pollctl pause --account 42                   holds the jobs of an account; resume
  pollctl import jobs.csv                      registers jobs; may be repeated
  pollctl config set mastodon/posts/cushion 50 --reason 'too eager'
  pollctl config load defaults.toml            defaults into Consul, over nobody's change; --apply
  pollctl dead-letters list                    what nobody could finish
  pollctl alerts generate --proto orders.proto rules of Prometheus, checks of Nagios

The token is read from POLLCTL_TOKEN, or from the file of --token-file; it is never shown.
";

/// Operates a scheduler of universal polling, over its admin server.
#[derive(Debug, Parser)]
#[command(name = "pollctl", version, args_override_self = true, after_help = format!("{EXAMPLES}\n{EXIT_CODES}"))]
pub struct Cli {
    /// Where the scheduler's admin server is.
    #[arg(
        long,
        global = true,
        env = "POLLCTL_URL",
        default_value = "http://127.0.0.1:7070",
        hide_env_values = true
    )]
    url: String,

    /// A file that holds the admin token; goes before POLLCTL_TOKEN.
    #[arg(long, global = true, value_name = "FILE", env = "POLLCTL_TOKEN_FILE")]
    token_file: Option<PathBuf>,

    /// The channel; may be left out where the scheduler serves only one.
    #[arg(
        long,
        short,
        global = true,
        value_name = "NAME",
        env = "POLLCTL_CHANNEL"
    )]
    channel: Option<ChannelId>,

    /// Longest wait for one answer. The scheduler's own bound is 30s unless configured otherwise.
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        default_value = "35s",
        value_parser = humantime::parse_duration
    )]
    timeout: Duration,

    /// Tells it as JSON: a document, or a line for each job of `list` and `export`.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The channels, and how many jobs of each are where.
    Channels,
    /// One channel as a whole: added, stopped at once, started again.
    #[command(subcommand)]
    Channel(channel::Channel),
    /// Jobs, one on a line.
    List(jobs::List),
    /// A job with its context, its place and the reasons of its last placements.
    Show(jobs::One),
    /// Why a job is where it is, and when it is polled next.
    Explain(jobs::One),
    /// Registers a job; one that exists is left as it is.
    Register(edit::Register),
    /// Holds jobs: single ones, or by what they have in common.
    Pause(bulk::Pause),
    /// Returns held jobs to the cycle: single ones at once, many within their intervals.
    Resume(bulk::Resume),
    /// Moves jobs: held, at once, to another time, or into another channel.
    Move(moving::Move),
    /// Polls jobs at once, held or not.
    RunNow(edit::Jobs),
    /// Removes jobs.
    Remove(edit::Jobs),
    /// Sets a job's service level.
    Level(edit::Level),
    /// Sets by hand how often a job is polled, or leaves it to its rules again.
    Pace(edit::Pace),
    /// Registers the jobs of a file, CSV or JSON Lines; may be repeated.
    Import(import::Import),
    /// Writes the jobs of a channel as a file that `import` reads.
    Export(export::Export),
    /// Whether the scheduler is ready, by channel; exits 1 if it is not.
    Health,
    /// When jobs are due: the ring of slots, in bars.
    Slots(slots::Slots),
    /// How much is in the queues, and how old the oldest is.
    Queues,
    /// The rate-limit scopes of jobs, and how they stand.
    Scopes(scopes::Scopes),
    /// How many workers there should be: told, watched, or set by a command.
    Scale(scale::Scale),
    /// Settings that change while the scheduler runs.
    #[command(subcommand)]
    Config(config::Config),
    /// What nobody could finish, or read.
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLetters),
    /// Checks every connection and setting, and says how to mend what is wrong; exits 1 on any problem.
    Doctor(doctor::Doctor),
    /// Rules and checks for Prometheus, Alertmanager and Nagios, generated from services and channels.
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    /// Prints completions for a shell.
    Completions {
        /// Which.
        shell: Shell,
    },
}

impl Cli {
    /// Does what the command line says, and tells what went wrong; with which code to exit.
    pub async fn execute(self, io: Io<'_>) -> u8 {
        let json = self.json;
        let Io {
            out,
            err,
            input,
            colours,
            asks,
            progress,
            token,
            clock,
        } = io;
        let mut output = Output {
            out,
            err: &mut *err,
            colours,
            progress,
            json,
        };
        if let Command::Completions { shell } = self.command {
            let mut command = Self::command();
            clap_complete::generate(shell, &mut command, "pollctl", &mut output.out);
            return 0;
        }
        let done = match self.client(token) {
            Ok(client) => {
                let session = Session {
                    client,
                    output,
                    input,
                    clock,
                    channel: self.channel.map(|channel| channel.to_string()),
                    asks,
                };
                self.command.run(session).await
            }
            Err(failure) => Err(failure),
        };
        let Err(failure) = done else {
            return 0;
        };
        let code = failure.exit_code();
        let what = chain(&failure);
        if code > 0 && !what.is_empty() {
            // Nothing is left to do if nobody reads it.
            let _ = match json {
                true => writeln!(err, "{}", json!({ "error": what, "exit_code": code })),
                false => writeln!(err, "error: {what}"),
            };
        }
        code
    }

    fn client(&self, token: Option<Token>) -> Result<Client, Failure> {
        let token = match &self.token_file {
            Some(file) => Some(Token::read(file)?),
            None => token,
        };
        Client::new(&self.url, token, self.timeout)
    }
}

impl Command {
    async fn run(self, session: Session<'_>) -> Result<(), Failure> {
        match self {
            Self::Channels => channels::run(session).await,
            Self::Channel(channel) => channel.run(session).await,
            Self::List(list) => list.run(session).await,
            Self::Show(one) => one.show(session).await,
            Self::Explain(one) => one.explain(session).await,
            Self::Register(register) => register.run(session).await,
            Self::Pause(pause) => pause.run(session).await,
            Self::Resume(resume) => resume.run(session).await,
            Self::Move(moving) => moving.run(session).await,
            Self::RunNow(jobs) => jobs.run_now(session).await,
            Self::Remove(jobs) => jobs.remove(session).await,
            Self::Level(level) => level.run(session).await,
            Self::Pace(pace) => pace.run(session).await,
            Self::Import(import) => import.run(session).await,
            Self::Export(export) => export.run(session).await,
            Self::Health => health::run(session).await,
            Self::Slots(slots) => slots.run(session).await,
            Self::Queues => queues::run(session).await,
            Self::Scopes(scopes) => scopes.run(session).await,
            Self::Scale(scale) => scale.run(session).await,
            Self::Config(config) => config.run(session).await,
            Self::DeadLetters(dead_letters) => dead_letters.run(session).await,
            Self::Doctor(doctor) => doctor.run(session).await,
            Self::Alerts(alerts) => alerts.run(session).await,
            Self::Completions { .. } => Ok(()),
        }
    }
}
