//! Single settings, over the scheduler's API.

use clap::Args;
use serde_json::{Value, json};

use crate::{
    client::Call,
    failure::Failure,
    session::Session,
    table::{Cell, Colour, Table},
    time::relative,
};

/// What is told.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// One setting, CHANNEL/JOB_TYPE/NAME; all unless given.
    key: Option<String>,
}

/// A change.
#[derive(Debug, Args)]
#[command(after_help = "\
The value is checked with the whole configuration first, and written to Consul, from where every replica takes it up
within a second. The history of the key has who changed it and why.")]
pub(crate) struct Set {
    /// CHANNEL/JOB_TYPE/NAME
    key: String,

    /// As in the configuration: 5m, 20%, 50.
    value: String,

    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Only if what is written was not written again since it had this index, as `get KEY` tells it; 0 for nothing.
    #[arg(long, value_name = "INDEX")]
    modify_index: Option<u64>,
}

/// A setting given up.
#[derive(Debug, Args)]
pub(crate) struct Unset {
    /// CHANNEL/JOB_TYPE/NAME
    key: String,

    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Whose past is told.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// CHANNEL/JOB_TYPE/NAME
    key: String,
}

impl Get {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        match self.key {
            Some(key) => one(&mut session, &key).await,
            None => all(&mut session, |_| true).await,
        }
    }
}

/// `pollctl config diff`: what is not as the configuration has it.
pub(crate) async fn diff(mut session: Session<'_>) -> Result<(), Failure> {
    all(&mut session, |setting| {
        setting["in_force"].is_object() || setting["refused"].is_object()
    })
    .await
}

impl Set {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let mut wanted = json!({ "value": self.value, "reason": self.reason });
        if let Some(index) = self.modify_index {
            wanted["modify_index"] = index.into();
        }
        let call = Call::put(path(&self.key)).body(wanted.to_string());
        let written = session.client.json(&call).await?;
        let line = format!("{} is {}", self.key, self.value);
        done(&mut session, &written, &line)
    }
}

impl Unset {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let call = Call::delete(path(&self.key)).query("reason", Some(&self.reason));
        let written = session.client.json(&call).await?;
        let line = format!(
            "{} is given up: what the next source says holds, or the configuration",
            self.key
        );
        done(&mut session, &written, &line)
    }
}

impl History {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let [v1, settings, key] = path(&self.key);
        let call = Call::get([v1, settings, key, "history"]);
        let told = session.client.json(&call).await?;
        if session.output.json {
            return Ok(session.output.document(&told)?);
        }
        let now_ms = session.clock.now_ms();
        let mut table = Table::new(["WHEN", "WHO", "FROM", "TO", "WHY"]);
        for past in told["history"].as_array().into_iter().flatten() {
            let at_ms = past["at_ms"].as_i64().unwrap_or_default();
            table.row([
                relative(at_ms, now_ms).into(),
                text(past, "by").into(),
                past["from"].as_str().unwrap_or("-").into(),
                past["to"].as_str().unwrap_or("-").into(),
                text(past, "reason").into(),
            ]);
        }
        match table.is_empty() {
            true => session.output.note("nobody has changed it here")?,
            false => session.output.table(&table)?,
        }
        Ok(())
    }
}

async fn one(session: &mut Session<'_>, key: &str) -> Result<(), Failure> {
    let told = session.client.json(&Call::get(path(key))).await?;
    if session.output.json {
        return Ok(session.output.document(&told)?);
    }
    let mut lines = vec![format!("{key}  {}", text(&told, "help"))];
    let or_none = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    lines.push(format!("static     {}", or_none(&told["static"])));
    let in_force = &told["in_force"];
    if in_force.is_object() {
        let (value, source) = (text(in_force, "value"), text(in_force, "source"));
        lines.push(format!("in force   {value}, from {source}"));
    }
    let written = &told["written"];
    if written.is_object() {
        let (value, index) = (text(written, "value"), &written["modify_index"]);
        lines.push(format!("written    {value}, index {index}"));
    }
    for name in ["refused", "unknown"] {
        let refused = &told[name];
        if refused.is_object() {
            let value = or_none(&refused["value"]);
            let line = format!("refused    {value}: {}", text(refused, "reason"));
            lines.push(session.output.paint(Colour::Bad, &line));
        }
    }
    for line in lines {
        session.output.line(&line)?;
    }
    Ok(())
}

async fn all(session: &mut Session<'_>, is_told: impl Fn(&Value) -> bool) -> Result<(), Failure> {
    let mut told = session.client.json(&Call::get(["v1", "settings"])).await?;
    if let Some(settings) = told["settings"].as_object_mut() {
        settings.retain(|_, setting| is_told(setting));
    }
    if session.output.json {
        return Ok(session.output.document(&told)?);
    }
    let mut table = Table::new(["KEY", "IN FORCE", "STATIC", "FROM", "REFUSED"]);
    let rows = |name: &str| told[name].as_object().into_iter().flatten();
    for (key, setting) in rows("settings") {
        let in_force = &setting["in_force"];
        let value = in_force["value"].as_str().or(setting["static"].as_str());
        table.row([
            key.as_str().into(),
            value.unwrap_or("-").into(),
            setting["static"].as_str().unwrap_or("-").into(),
            text(in_force, "source").into(),
            refused(&setting["refused"]),
        ]);
    }
    for (key, unknown) in rows("unknown") {
        let source = text(unknown, "source");
        table.row([
            key.as_str().into(),
            "-".into(),
            "-".into(),
            source.into(),
            refused(unknown),
        ]);
    }
    match table.is_empty() {
        true => session
            .output
            .note("every setting is as the configuration has it")?,
        false => session.output.table(&table)?,
    }
    for source in told["sources"].as_array().into_iter().flatten() {
        if let Some(failure) = source["failure"].as_str() {
            session
                .output
                .note(&format!("{}: {failure}", text(source, "name")))?;
        }
    }
    Ok(())
}

fn refused(refused: &Value) -> Cell {
    if !refused.is_object() {
        return "".into();
    }
    let value = refused["value"].as_str().unwrap_or("-");
    Cell::from(format!("{value}: {}", text(refused, "reason"))).colour(Colour::Bad)
}

fn done(session: &mut Session<'_>, written: &Value, line: &str) -> Result<(), Failure> {
    match session.output.json {
        true => session.output.document(written)?,
        false => session.output.line(line)?,
    }
    Ok(())
}

/// The path of a setting's calls.
fn path(key: &str) -> [&str; 3] {
    ["v1", "settings", key]
}

/// A text of an answer.
fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}
