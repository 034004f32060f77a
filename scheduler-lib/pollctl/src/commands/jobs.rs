//! `pollctl list`, `show`, `explain`

use clap::Args;
use polling_model::JobId;
use serde_json::Value;

use super::filter::{At, Filter};
use crate::{
    client::Call,
    failure::Failure,
    session::{Session, jobs_of},
    table::{Cell, Colour, Table},
    time::{at, relative},
};

/// Jobs that the server looks at for one answer.
const PAGE: usize = 500;

/// Which jobs to list.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    filter: Filter,

    /// Jobs at a place of the cycle.
    #[arg(long, value_enum)]
    place: Option<At>,

    /// Most jobs to tell.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// One job.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its id, such as `posts:42`.
    job: JobId,
}

impl List {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let channel = session.channel().await?;
        let now_ms = session.clock.now_ms();
        let mut table = Table::new(["JOB", "ACCOUNT", "LEVEL", "PLACE", "DUE", "REASON"]);
        let (mut told, mut after, mut more) = (0, None::<String>, false);
        loop {
            let call = Call::get(["v1", "channels", &channel, "jobs"])
                .query("limit", Some(PAGE))
                .query("place", self.place.map(At::as_str))
                .query("after", after.as_ref());
            let page = session.client.json(&self.filter.narrow(call)).await?;
            for job in jobs_of(&page) {
                more = told == self.limit;
                if more {
                    break;
                }
                told += 1;
                match session.output.json {
                    true => session.output.json_line(job)?,
                    false => table.row(row(job, now_ms)),
                }
            }
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() || more {
                break;
            }
        }
        if !session.output.json {
            match table.is_empty() {
                true => session.output.note("no such job")?,
                false => session.output.table(&table)?,
            }
        }
        if more {
            let note = format!("there are more than {told}: ask for them with --limit");
            session.output.note(&note)?;
        }
        Ok(())
    }
}

fn row(job: &Value, now_ms: i64) -> [Cell; 6] {
    let text = |name: &str| job[name].as_str().unwrap_or_default();
    let place = text("place");
    let colour = match place {
        "quarantined" | "refused" => Colour::Bad,
        "paused" | "parked" => Colour::Doubtful,
        _ => Colour::Plain,
    };
    let due = match (place, job["due_ms"].as_i64()) {
        ("slot" | "later", Some(due_ms)) => relative(due_ms, now_ms),
        _ => "-".to_owned(),
    };
    [
        text("id").into(),
        text("account").into(),
        text("level").into(),
        Cell::from(place).colour(colour),
        due.into(),
        text("reason").into(),
    ]
}

impl One {
    pub(crate) async fn show(self, mut session: Session<'_>) -> Result<(), Failure> {
        let job = show(&mut session, self.job.as_str()).await?;
        if session.output.json {
            session.output.document(&job)?;
            return Ok(());
        }
        tell(&mut session, &job)
    }

    pub(crate) async fn explain(self, mut session: Session<'_>) -> Result<(), Failure> {
        let (channel, job) = (session.channel().await?, self.job.as_str());
        let call = Call::get(["v1", "channels", &channel, "jobs", job, "explain"]);
        let asked = match session.output.json {
            true => session.client.call(&call).await,
            false => session.client.call(&call.in_words()).await,
        };
        let text = match asked {
            Ok(text) => text,
            Err(failure) => return Err(session.with_nearest_job(failure, &channel, job).await),
        };
        match session.output.json {
            true => {
                let explanation = session.client.parse(&text)?;
                session.output.document(&explanation)?;
            }
            false => session.output.line(text.trim_end())?,
        }
        Ok(())
    }
}

/// A job as the server shows it.
pub(super) async fn show(session: &mut Session<'_>, job: &str) -> Result<Value, Failure> {
    let channel = session.channel().await?;
    let call = Call::get(["v1", "channels", &channel, "jobs", job]);
    match session.client.json(&call).await {
        Ok(job) => Ok(job),
        Err(failure) => Err(session.with_nearest_job(failure, &channel, job).await),
    }
}

/// A job's fields, then its last reasons.
pub(super) fn tell(session: &mut Session<'_>, job: &Value) -> Result<(), Failure> {
    let now_ms = session.clock.now_ms();
    let when = |name: &str| match job[name].as_i64() {
        Some(at_ms) if at_ms > 0 => format!("{} UTC ({})", at(at_ms), relative(at_ms, now_ms)),
        _ => "-".to_owned(),
    };
    let plain = |name: &str| match &job[name] {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    for (name, value) in [
        ("job", plain("id")),
        ("type", plain("job_type")),
        ("account", plain("account")),
        ("level", plain("level")),
        ("cushion", plain("cushion")),
        ("pace", plain("pace")),
        ("place", plain("place")),
        ("due", when("due_ms")),
        ("last settled", when("settled_ms")),
        ("attempts", plain("attempts")),
        ("strikes", plain("strikes")),
        ("context", plain("context")),
    ] {
        let name = session.output.paint(Colour::Bold, &format!("{name:<12}"));
        session.output.line(&format!("{name}  {value}"))?;
    }
    let reasons = job["reasons"].as_array().map_or(&[][..], Vec::as_slice);
    if !reasons.is_empty() {
        let head = session.output.paint(Colour::Bold, "why, newest first");
        session.output.line(&head)?;
    }
    for reason in reasons {
        let when = reason["at_ms"]
            .as_i64()
            .map_or_else(|| "by hand".to_owned(), at);
        let text = reason["text"].as_str().unwrap_or_default();
        session.output.line(&format!("  {when}  {text}"))?;
    }
    Ok(())
}
