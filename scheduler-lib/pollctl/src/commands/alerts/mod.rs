//! `pollctl alerts`: what Prometheus, Alertmanager and Nagios need to watch services and channels.

mod checkers;
mod configuration;
mod files;
mod metric;
mod stage;
mod watch;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use polling_ops::alerts::Refused;
use serde_json::json;
use similar::TextDiff;

use self::{
    checkers::{Checkers, Outcome},
    files::{File, Written},
    stage::Stage,
    watch::Watch,
};
use crate::{failure::Failure, session::Session};

const HELP: &str = "\
Files, all of them in the folder of --out:
  polling.rules.yaml        rules of Prometheus
  polling.rules.test.yaml   tests of these rules, for `promtool test rules`
  polling.objectives.yaml   rules of Prometheus on what is promised of freshness
  alertmanager.yaml         routes of Alertmanager
  polling.cfg               objects of Nagios 4, which ask by `pollctl alerts check-metric`

A file is replaced as a whole, and only if promtool, amtool and nagios4 take all of them; which of these is not
found is told. One that was not written by this command is never replaced without --force.

Exit codes: 0 done; 1 a checker found something, a threshold was refused, or files differ (`diff`); 2 wrong command
line or files. Those of `check-metric` are Nagios's: 0 ok, 1 warning, 2 critical, 3 unknown.";

/// What to do with them.
#[derive(Debug, Subcommand)]
#[command(after_help = HELP)]
pub(crate) enum Alerts {
    /// Writes rules, routes and objects for services and channels, and has them checked first.
    Generate(Box<Generate>),
    /// Shows what `generate` would change; exits 1 if there is anything.
    Diff(Box<Diff>),
    /// Has the files that are there checked.
    Check(Check),
    /// Prints all thresholds with their defaults, as TOML.
    Defaults(Box<Defaults>),
    /// Asks Prometheus or Graphite for one number, and tells Nagios what it means.
    CheckMetric(metric::CheckMetric),
}

/// What is written.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Generate {
    #[command(flatten)]
    files: files::Files,

    #[command(flatten)]
    checkers: Checkers,

    /// Has nothing checked.
    #[arg(long)]
    no_check: bool,

    /// Replaces files that something else wrote, too.
    #[arg(long)]
    force: bool,
}

/// What would change.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    files: files::Files,
}

/// What is checked.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The folder of the files.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,

    #[command(flatten)]
    checkers: Checkers,
}

/// Of what.
#[derive(Debug, Args)]
#[command(after_help = "\
  pollctl alerts defaults --proto orders.proto >alerts.toml")]
pub(crate) struct Defaults {
    #[command(flatten)]
    watch: Watch,
}

impl Alerts {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<(), Failure> {
        match self {
            Self::Generate(generate) => generate.run(session).await,
            Self::Diff(diff) => diff.run(session).await,
            Self::Check(check) => check.run(session).await,
            Self::Defaults(defaults) => defaults.run(session).await,
            Self::CheckMetric(check) => check.run(session).await,
        }
    }
}

impl Generate {
    async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let out = self.files.out();
        let (files, refused) = self.files.generate(&mut session).await?;
        if !self.force {
            files::all_ours(out, &files)?;
        }
        std::fs::create_dir_all(out)?;
        let stage = Stage::new(out, &files)?;
        let mut missing = Vec::new();
        if !self.no_check {
            missing = passed(&mut session, self.checkers.check(stage.folder()).await)?;
        }
        let written = stage.replace(out, &files)?;
        tell_refused(&mut session, &refused)?;
        if session.output.json {
            let files: Vec<_> = written.iter().map(Written::json).collect();
            let refused: Vec<_> = refused.iter().map(refused_json).collect();
            session.output.document(
                &json!({ "files": files, "refused": refused, "missing_checkers": missing }),
            )?;
        } else {
            for file in &written {
                session.output.line(&file.to_string())?;
            }
        }
        all_taken_up(&refused)
    }
}

impl Diff {
    async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let (files, refused) = self.files.generate(&mut session).await?;
        tell_refused(&mut session, &refused)?;
        let mut differing = Vec::new();
        for file in &files {
            let path = self.files.out().join(file.name);
            let there = files::read(&path)?.unwrap_or_default();
            if there == file.text {
                continue;
            }
            differing.push(file.name);
            if !session.output.json {
                let (from, to) = (path.display().to_string(), format!("{} (new)", file.name));
                let diff = TextDiff::from_lines(&there, &file.text);
                let diff = diff.unified_diff().header(&from, &to).to_string();
                session.output.out.write_all(diff.as_bytes())?;
            }
        }
        if session.output.json {
            session
                .output
                .document(&json!({ "differing": differing }))?;
        }
        match differing.len() {
            0 => all_taken_up(&refused),
            1 => Err(Failure::Problem("1 file differs".to_owned())),
            count => Err(Failure::Problem(format!("{count} files differ"))),
        }
    }
}

impl Check {
    async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let mut files = Vec::new();
        for name in files::NAMES {
            let path = self.out.join(name);
            let text = files::read(&path)?.ok_or_else(|| {
                Failure::Usage(format!("{} is not there: generate it", path.display()))
            })?;
            files.push(File { name, text });
        }
        let stage = Stage::new(&std::env::temp_dir(), &files)?;
        let missing = passed(&mut session, self.checkers.check(stage.folder()).await)?;
        match session.output.json {
            true => session
                .output
                .document(&json!({ "missing_checkers": missing }))?,
            false => session.output.line("nothing is wrong")?,
        }
        Ok(())
    }
}

impl Defaults {
    async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let watched = self.watch.watched(&mut session).await?;
        let defaults = polling_ops::alerts::defaults(&watched);
        if session.output.json {
            let defaults: std::collections::BTreeMap<_, _> = defaults
                .iter()
                .map(|(key, text)| (key.as_str(), text))
                .collect();
            session.output.document(&defaults)?;
            return Ok(());
        }
        session
            .output
            .out
            .write_all(toml_of(&defaults).as_bytes())?;
        Ok(())
    }
}

/// A table for each alert: parts of keys are its names.
fn toml_of(defaults: &std::collections::BTreeMap<polling_ops::config::Key, String>) -> String {
    let (mut toml, mut table) = (String::new(), "");
    for (key, text) in defaults {
        let (above, name) = key.as_str().rsplit_once('/').unwrap_or(("", key.as_str()));
        if above != table {
            let parts: Vec<_> = above
                .split('/')
                .map(|part| json!(part).to_string())
                .collect();
            toml.push_str(if toml.is_empty() { "" } else { "\n" });
            toml.push_str(&format!("[{}]\n", parts.join(".")));
            table = above;
        }
        toml.push_str(&format!("{name} = {}\n", json!(text)));
    }
    toml
}

/// Tells what checkers found; which of them are missing.
fn passed(
    session: &mut Session<'_>,
    outcomes: Vec<(String, Outcome)>,
) -> Result<Vec<String>, Failure> {
    let (mut missing, mut wrong) = (Vec::new(), 0);
    for (what, outcome) in outcomes {
        match outcome {
            Outcome::Passed => {}
            Outcome::Missing => {
                let note = format!("{what} is not found: what it would check is not checked");
                session.output.note(&note)?;
                missing.push(what);
            }
            Outcome::Failed(said) => {
                wrong += 1;
                session
                    .output
                    .note(&format!("{what}:\n{}", said.trim_end()))?;
            }
        }
    }
    match wrong {
        0 => Ok(missing),
        _ => Err(Failure::Problem(
            "the files are not as they should be: nothing was written".to_owned(),
        )),
    }
}

fn tell_refused(session: &mut Session<'_>, refused: &[Refused]) -> Result<(), Failure> {
    for Refused {
        key, text, reason, ..
    } in refused
    {
        session.output.note(&format!(
            "{key} = {text:?} is refused: {reason}; its default stands"
        ))?;
    }
    Ok(())
}

fn refused_json(refused: &Refused) -> serde_json::Value {
    json!({ "key": refused.key, "text": refused.text, "reason": refused.reason })
}

fn all_taken_up(refused: &[Refused]) -> Result<(), Failure> {
    match refused.len() {
        0 => Ok(()),
        count => Err(Failure::Problem(format!(
            "{count} thresholds were refused; their defaults stand"
        ))),
    }
}
