//! `pollctl config load`

use std::{ffi::OsString, fs, path::PathBuf};

use clap::Args;
use polling_model::chain;
use polling_ops::config::{Consul, Found, Key, Past, found_in};
use serde_json::json;

use super::{
    consul::{Address, failed},
    plan::{Changed, Known, Plan, Wrong},
};
use crate::{
    failure::Failure,
    program::Program,
    session::Session,
    table::{Cell, Colour, Table},
};

/// Which defaults, and where to.
#[derive(Debug, Args)]
#[command(after_help = "\
Tables of the files are parts of keys: cushion = 5 in [mastodon.posts] is mastodon/posts/cushion. A default is put
where there is no value, and only then: what somebody has changed stays, whatever the files say. Nothing is removed.
With --config each default is checked as the scheduler itself would, beside what is there; if one is wrong, none is put.")]
pub(crate) struct Load {
    /// Files of defaults, TOML. Where two have a key, the later counts.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Writes; without it the plan is only told.
    #[arg(long)]
    apply: bool,

    /// The scheduler's configuration, to check the defaults with.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Who loads, for the history of each key.
    #[arg(long, value_name = "NAME", default_value = "pollctl config load")]
    by: String,

    #[command(flatten)]
    program: Program,

    #[command(flatten)]
    consul: Address,
}

impl Load {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let defaults = self.defaults()?;
        let consul = self.consul.client()?;
        let listed = consul.list().await.map_err(|error| failed(&error))?;
        let there: Found = listed
            .into_iter()
            .map(|entry| (entry.key, entry.text))
            .collect();
        let known = self.known(&defaults, &there).await?;
        let plan = Plan::of(&defaults, &there, known.as_ref());
        let mut outrun = Vec::new();
        if !session.output.json {
            tell(&mut session, &plan, self.config.is_some())?;
        }
        if self.apply && plan.wrong.is_empty() {
            outrun = self.put(&mut session, &consul, &plan).await?;
        }
        self.conclude(&mut session, &plan, &outrun)
    }

    fn defaults(&self) -> Result<Found, Failure> {
        let mut defaults = Found::new();
        for file in &self.files {
            let wrong = |what: String| Failure::Usage(format!("{}: {what}", file.display()));
            let text = fs::read_to_string(file);
            let text = text.map_err(|error| wrong(format!("it cannot be read: {error}")))?;
            defaults.extend(found_in(&text).map_err(|error| wrong(chain(&error)))?);
        }
        Ok(defaults)
    }

    /// What the scheduler says to all that would be there.
    async fn known(&self, defaults: &Found, there: &Found) -> Result<Option<Known>, Failure> {
        let Some(config) = &self.config else {
            return Ok(None);
        };
        let mut all = defaults.clone();
        all.extend(there.clone());
        let arguments: [OsString; 4] = [
            "--config".into(),
            config.into(),
            "settings".into(),
            "--check".into(),
        ];
        let input = json!(all).to_string();
        let ended = self.program.call_with(arguments, &input).await?;
        if ended.code != Some(0) {
            return Err(Failure::Usage(ended.err.trim().to_owned()));
        }
        let known = serde_json::from_str(&ended.out);
        known.map(Some).map_err(|error| {
            Failure::Usage(format!(
                "the scheduler's program is of another version: {error}"
            ))
        })
    }

    /// Puts what is missing; the keys that somebody else put in the meantime.
    async fn put(
        &self,
        session: &mut Session<'_>,
        consul: &Consul,
        plan: &Plan,
    ) -> Result<Vec<String>, Failure> {
        let bar = session.output.bar_of("keys", Some(plan.put.len() as u64));
        let mut outrun = Vec::new();
        for (key, value) in &plan.put {
            let parsed = Key::new(key).map_err(|error| Failure::Usage(error.to_string()))?;
            let past = Past {
                at_ms: session.clock.now_ms(),
                by: self.by.clone(),
                reason: "a default".to_owned(),
                from: None,
                to: Some(value.clone()),
            };
            // Only if there is nothing still.
            let put = consul.change(&parsed, Some(0), past).await;
            let put = put.inspect_err(|_| bar.finish_and_clear());
            if !put.map_err(|error| failed(&error))? {
                outrun.push(key.clone());
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(outrun)
    }

    fn conclude(
        &self,
        session: &mut Session<'_>,
        plan: &Plan,
        outrun: &[String],
    ) -> Result<(), Failure> {
        let applied = self.apply && plan.wrong.is_empty();
        if session.output.json {
            let told = json!({ "plan": plan, "applied": applied, "outrun": outrun });
            session.output.document(&told)?;
        } else {
            let put = plan.put.len() - outrun.len();
            session.output.line(&match (applied, plan.put.len()) {
                (true, _) => format!("{put} put"),
                (false, 0) => "nothing to put".to_owned(),
                (false, missing) => format!("{missing} to put; nothing is written without --apply"),
            })?;
            for key in outrun {
                let note = format!("{key}: somebody else put it in the meantime, and it is left");
                session.output.note(&note)?;
            }
        }
        match plan.wrong.len() {
            0 => Ok(()),
            wrong => Err(Failure::Problem(format!(
                "{wrong} of the defaults cannot take effect: nothing is written"
            ))),
        }
    }
}

fn tell(session: &mut Session<'_>, plan: &Plan, is_checked: bool) -> Result<(), Failure> {
    let mut table = Table::new(["KEY", "WHAT", "DEFAULT", "THERE", ""]);
    let mut row = |key: &str, what: Cell, default: &str, there: &str, note: &str| {
        table.row([key.into(), what, default.into(), there.into(), note.into()]);
    };
    let painted = |text: &str, colour| Cell::from(text).colour(colour);
    for (key, Wrong { value, reason }) in &plan.wrong {
        row(key, painted("wrong", Colour::Bad), value, "", reason);
    }
    for (key, value) in &plan.put {
        row(key, painted("put", Colour::Good), value, "", "");
    }
    for (key, changed) in &plan.changed {
        let Changed {
            default,
            there,
            refused,
        } = changed;
        let refused = refused
            .as_ref()
            .map(|reason| format!("not in force: {reason}"));
        let note = refused.unwrap_or_default();
        row(
            key,
            painted("changed", Colour::Doubtful),
            default,
            there,
            &note,
        );
    }
    for (key, value) in &plan.stale {
        let note = match is_checked {
            true => "no setting of this configuration",
            false => "in no file; with --config it is known whether it is a setting",
        };
        row(key, painted("stale", Colour::Doubtful), "", value, note);
    }
    for (key, value) in &plan.set {
        row(key, "set".into(), "", value, "");
    }
    if !table.is_empty() {
        session.output.table(&table)?;
    }
    session
        .output
        .line(&format!("{} as they are by default", plan.equal.len()))?;
    Ok(())
}
