//! `scheduler add-channel`: a channel written into the configuration, its queues, and what its roles
//! need to be allowed.

mod edit;
mod permissions;

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use polling_model::ChannelId;
use serde::Serialize;

use self::edit::{NewChannel, NewJobType};
pub use self::permissions::{Acl, Permissions, Place, Role};
use crate::{
    config::{Config, TransportKind},
    servers::{Created, create_queues},
};

/// The channel.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scheduler add-channel mastodon --job-type posts=5m,cushion=20 --job-type likes=1h --redis redis://10.0.0.7:6379/0
  scheduler add-channel mastodon --job-type posts=5m --transport redis --dry-run

A password belongs in no file: leave --redis out, and set POLLING__CHANNELS__MASTODON__REDIS for this command
and for the scheduler. What is in the file keeps its place and its comments. A channel that is there is left as
it is, so a command that broke off is repeated. The scheduler reads its configuration when it starts.
Exit codes: 0 done, 1 a problem, 2 a wrong command line.")]
pub struct AddChannel {
    /// The channel's name.
    channel: ChannelId,

    /// A kind of job with its interval, as NAME=INTERVAL, and the cushion if it has one, as
    /// NAME=INTERVAL,cushion=CALLS; several may be given.
    #[arg(long = "job-type", value_name = "NAME=INTERVAL", required = true)]
    job_types: Vec<NewJobType>,

    /// The address of the channel's Redis, without a password.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,

    /// What its queues are on.
    #[arg(long, value_enum, default_value = "sqs")]
    transport: On,

    /// What the names of its queues begin with; polling-CHANNEL unless given.
    #[arg(long)]
    prefix: Option<String>,

    /// The region in the permissions for AWS.
    #[arg(long, default_value = "*", env = "AWS_REGION")]
    aws_region: String,

    /// The account's number in the permissions for AWS.
    #[arg(long, default_value = "*")]
    aws_account: String,

    /// The Kafka topic that its workers publish to, for their permissions.
    #[arg(long)]
    topic: Option<String>,

    /// Creates no queues.
    #[arg(long)]
    no_queues: bool,

    /// Tells what would be done, and does nothing.
    #[arg(long)]
    dry_run: bool,

    /// Tells it as JSON.
    #[arg(long = "json")]
    as_json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum On {
    Sqs,
    Redis,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Told {
    channel: ChannelId,
    file: String,
    /// The whole configuration as it would be, of a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    added: bool,
    dry_run: bool,
    queues: Vec<Queue>,
    permissions: Permissions,
}

#[derive(Debug, Serialize)]
struct Queue {
    name: String,
    role: String,
    /// Why it does not exist as configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl AddChannel {
    /// Writes the channel into `file`, creates its queues, and tells the permissions.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read or written, or would be refused.
    pub async fn execute(
        &self,
        file: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> anyhow::Result<ExitCode> {
        let before = match fs::read_to_string(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.with_context(|| format!("{} cannot be read", file.display()))?,
        };
        let after = edit::add(&before, &self.asked_for()?).map_err(anyhow::Error::msg)?;
        let name = file.display().to_string();
        let mut config = Config::parse(&name, after.as_deref().unwrap_or(&before), environment)?;
        if !self.dry_run
            && let Some(text) = &after
        {
            replace(file, text).with_context(|| format!("{name} cannot be written"))?;
        }
        config.channels.retain(|id, _| *id == self.channel);
        let queues = match self.dry_run || self.no_queues {
            true => Vec::new(),
            false => create_queues(&config).await,
        };
        let place = Place {
            region: self.aws_region.clone(),
            account: self.aws_account.clone(),
        };
        let channel = &config.channels[&self.channel];
        let topic = self.topic.as_deref();
        let told = Told {
            channel: self.channel.clone(),
            file: name,
            added: after.is_some(),
            text: after.filter(|_| self.dry_run),
            dry_run: self.dry_run,
            queues: queues.into_iter().map(Queue::from).collect(),
            permissions: Permissions::of(&self.channel, channel, &place, topic),
        };
        let mut out = io::stdout().lock();
        match self.as_json {
            true => writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?,
            false => told.write(&mut out, &before)?,
        }
        Ok(
            match told.queues.iter().all(|queue| queue.problem.is_none()) {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            },
        )
    }

    /// What is to be written.
    fn asked_for(&self) -> anyhow::Result<NewChannel<'_>> {
        if self.redis.as_ref().is_some_and(|url| has_password(url)) {
            let variable = self.channel.as_str().to_ascii_uppercase().replace('-', "_");
            bail!(
                "--redis has a password, which would be in the file: leave it out, and set POLLING__CHANNELS__{variable}__REDIS instead"
            );
        }
        Ok(NewChannel {
            id: &self.channel,
            redis: self.redis.as_deref(),
            transport: match self.transport {
                On::Sqs => TransportKind::Sqs,
                On::Redis => TransportKind::Redis,
            },
            prefix: self.prefix.as_deref(),
            job_types: &self.job_types,
        })
    }
}

/// Whether an address has one, before its last `@`.
fn has_password(url: &str) -> bool {
    let place = url.split_once("://").map_or(url, |(_, rest)| rest);
    let credentials = place.rsplit_once('@').map(|(credentials, _)| credentials);
    credentials.is_some_and(|credentials| credentials.contains(':'))
        || url.contains("sentinel_password=")
}

/// Writes a file as a whole: whoever reads it finds the one or the other.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    // A link stays one.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut partial = OsString::from(&file);
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut new = fs::File::create(&partial)?;
    if let Ok(old) = fs::metadata(&file) {
        new.set_permissions(old.permissions())?;
    }
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    fs::rename(&partial, &file)
}

impl From<Created> for Queue {
    fn from(created: Created) -> Self {
        Self {
            name: created.name,
            role: created.role.to_string(),
            problem: created.result.err(),
        }
    }
}

impl Told {
    fn write(&self, out: &mut dyn Write, before: &str) -> io::Result<()> {
        let Self { channel, file, .. } = self;
        match (&self.text, self.added) {
            (Some(text), _) => {
                writeln!(
                    out,
                    "{file} would have, besides what is there; nothing was done:\n"
                )?;
                let added = text.strip_prefix(before).unwrap_or(text);
                writeln!(out, "{}\n", added.trim())?;
            }
            (None, true) => writeln!(out, "{file}: channel {channel} added")?,
            (None, false) => {
                writeln!(out, "{file}: channel {channel} is there, and left as it is")?;
            }
        }
        let width = self.queues.iter().map(|queue| queue.name.len()).max();
        let width = width.unwrap_or_default();
        for Queue {
            name,
            role,
            problem,
        } in &self.queues
        {
            match problem {
                None => writeln!(out, "ok      {name:width$}  {role}")?,
                Some(problem) => writeln!(out, "FAILED  {name:width$}  {role}: {problem}")?,
            }
        }
        for (role, needs) in [
            ("the scheduler", &self.permissions.scheduler),
            ("each worker", &self.permissions.worker),
        ] {
            writeln!(out, "\nWhat {role} has to be allowed:")?;
            if let Some(policy) = &needs.iam {
                writeln!(out, "{policy:#}")?;
            }
            for acl in &needs.redis {
                writeln!(out, "redis-cli {}", quoted(acl))?;
            }
            for command in &needs.kafka {
                writeln!(out, "{command}")?;
            }
        }
        Ok(())
    }
}

/// As a shell takes it: patterns and passwords have characters that it would read.
fn quoted(acl: &Acl) -> String {
    let line = String::from(acl.clone());
    let words = line
        .split(' ')
        .map(|word| match word.contains(['~', '>', '*', '{', '|']) {
            true => format!("'{word}'"),
            false => word.to_owned(),
        });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_seen() {
        for url in [
            "redis://:p@h/",
            "redis://u:p@h:1,i:2/0",
            "redis+sentinel://h/?master=m&sentinel_password=p",
        ] {
            assert!(has_password(url), "{url}");
        }
        for url in ["redis://h:6379/0", "redis://u@h/", "redis://h/"] {
            assert!(!has_password(url), "{url}");
        }
    }
}
