//! `pollctl channel`

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::{client::Call, failure::Failure, program::Program, session::Session};

/// What to do with it.
#[derive(Debug, Subcommand)]
pub(crate) enum Channel {
    /// Writes a channel into the scheduler's configuration, creates its queues with their redrive policies, and
    /// prints the permissions that each role needs.
    Add(Add),
    /// The kill switch: from now on no job is dispatched, those registered meanwhile included.
    Stop(Stop),
    /// Lets it go on; what became due meanwhile is caught up, each job once.
    Start,
}

/// The channel, for the scheduler's program.
#[derive(Debug, Args)]
#[command(after_help = "\
  pollctl channel add mastodon --job-type posts=5m,cushion=20 --redis redis://10.0.0.7:6379/0 --dry-run

It is done by the scheduler's program, beside its configuration: `scheduler add-channel`, which takes the same
arguments; `scheduler add-channel --help` tells them all.")]
pub(crate) struct Add {
    #[command(flatten)]
    scheduler: Program,

    /// The scheduler's configuration.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "scheduler.toml",
        env = "POLLING_CONFIG"
    )]
    config: PathBuf,

    /// The channel's name, and how it is to be.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "NAME --job-type TYPE=INTERVAL ..."
    )]
    arguments: Vec<OsString>,
}

impl Add {
    async fn run(self, session: Session<'_>) -> Result<(), Failure> {
        let begin = ["--config".into(), self.config.into(), "add-channel".into()];
        let json = session.output.json.then(|| "--json".into());
        let arguments = begin.into_iter().chain(self.arguments).chain(json);
        let ended = self.scheduler.call(arguments).await?;
        session.output.out.write_all(ended.out.as_bytes())?;
        session.output.err.write_all(ended.err.as_bytes())?;
        match ended.code {
            Some(0) => Ok(()),
            Some(2) => Err(Failure::Usage(
                "the scheduler's program does not take that".to_owned(),
            )),
            _ => Err(Failure::Problem(
                "the channel is not ready: mend what is told, and repeat the command".to_owned(),
            )),
        }
    }
}

/// The kill switch.
#[derive(Debug, Args)]
#[command(after_help = "\
It takes effect at once, however many jobs there are, and outlasts restarts of the scheduler. Jobs that are
in a queue or with a worker by then end as always: stop the workers, too, if no call is to be made at all.")]
pub(crate) struct Stop {
    /// Why, for whoever wonders; `explain` tells it.
    #[arg(long, default_value = "by hand")]
    reason: String,

    /// Asks nothing.
    #[arg(long, short)]
    yes: bool,
}

impl Channel {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let this = match self {
            Self::Add(add) => return add.run(session).await,
            this => this,
        };
        let channel = session.channel().await?;
        let (action, reason) = match &this {
            Self::Stop(stop) => {
                let question = format!("stop channel {channel}: no job of it is polled any more?");
                session.confirm(stop.yes, &question)?;
                ("stop", Some(&stop.reason))
            }
            _ => ("start", None),
        };
        let call = Call::post(["v1", "channels", &channel, action]).query("reason", reason);
        session.client.json(&call).await?;
        let stopped = action == "stop";
        match session.output.json {
            true => session
                .output
                .document(&json!({ "channel": channel, "stopped": stopped }))?,
            false if stopped => session.output.line(&format!(
                "channel {channel} is stopped; pollctl channel start lets it go on"
            ))?,
            false => session.output.line(&format!("channel {channel} goes on"))?,
        }
        Ok(())
    }
}
