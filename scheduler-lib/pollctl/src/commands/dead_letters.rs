//! `pollctl dead-letters`: jobs that nobody could finish, and messages that nobody could read.

use clap::{Args, Subcommand};
use polling_model::JobId;
use serde_json::{Value, json};

use super::{
    jobs::{show, tell},
    messages,
};
use crate::{
    client::Call,
    failure::Failure,
    session::{Session, jobs_of},
    table::{Cell, Colour, Table},
    time::{at, count},
};

/// Jobs that the server looks at for one answer.
const PAGE: usize = 500;

/// Longest text of an error in a table, in characters.
const MAX_ERROR_LEN: usize = 80;

/// The places of jobs that wait for somebody.
const PLACES: [&str; 2] = ["quarantined", "refused"];

/// What to do about them.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// Jobs in quarantine, jobs whose queue refused them, and messages that nobody could read.
    List(List),
    /// A job, or a message with its bytes.
    Show(Show),
    /// Polls jobs again: clears their strikes and returns them to the cycle.
    Redrive(Redrive),
    /// Leaves jobs out for good: they are looked at, and listed no more.
    Park(Jobs),
    /// Sends messages again, to the queue that they came from: somebody can read them by now.
    Resend(messages::Resend),
    /// Removes messages that nobody could read, for good.
    Remove(messages::Remove),
}

/// How many to tell.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Most jobs, and most messages.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// Which.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A job's id, or a message's.
    id: String,
}

/// Which jobs.
#[derive(Debug, Args)]
pub(crate) struct Redrive {
    /// Their ids.
    #[arg(
        required_unless_present = "all",
        conflicts_with = "all",
        value_name = "JOB"
    )]
    jobs: Vec<JobId>,
    /// Every job in quarantine or refused, spread over their intervals.
    #[arg(long)]
    all: bool,
}

/// Which jobs.
#[derive(Debug, Args)]
pub(crate) struct Jobs {
    /// Their ids.
    #[arg(required = true, value_name = "JOB")]
    jobs: Vec<JobId>,
}

impl DeadLetters {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(session).await,
            Self::Show(one) => one.run(session).await,
            Self::Redrive(Redrive { all: true, .. }) => redrive_all(session).await,
            Self::Redrive(Redrive { jobs, .. }) => {
                each(session, &jobs, "resume", "is polled again", "was not held").await
            }
            Self::Resend(resend) => resend.run(session).await,
            Self::Remove(remove) => remove.run(session).await,
            Self::Park(Jobs { jobs }) => {
                each(session, &jobs, "park", "parked", "was parked before").await
            }
        }
    }
}

impl List {
    async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let jobs = held(&mut session, self.limit).await?;
        let messages = messages::list(&mut session, self.limit).await?;
        if session.output.json {
            let told = json!({ "jobs": jobs, "messages": messages });
            session.output.document(&told)?;
            return Ok(());
        }
        if jobs.is_empty() && messages.is_empty() {
            session.output.line("no dead letters")?;
            return Ok(());
        }
        let mut table = Table::new(["WHAT", "ID", "SINCE", "WHY"]);
        for job in &jobs {
            let text = |name: &str| job[name].as_str().unwrap_or_default();
            let since = job["reasons"][0]["at_ms"].as_i64();
            table.row([
                Cell::from(format!("job {}", text("place"))).colour(Colour::Bad),
                text("id").into(),
                since.map_or_else(|| "?".to_owned(), at).into(),
                text("reason").into(),
            ]);
        }
        for message in &messages {
            let text = |name: &str| message[name].as_str().unwrap_or_default();
            let error: String = text("error").chars().take(MAX_ERROR_LEN).collect();
            table.row([
                Cell::from("message").colour(Colour::Doubtful),
                text("message_id").into(),
                message["kept_ms"]
                    .as_i64()
                    .map_or_else(|| "?".to_owned(), at)
                    .into(),
                error.into(),
            ]);
        }
        session.output.table(&table)?;
        Ok(())
    }
}

impl Show {
    async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let unknown = match messages::show(&mut session, &self.id).await {
            Err(Failure::NotFound(what)) => what,
            shown => return shown,
        };
        match show(&mut session, &self.id).await {
            Ok(job) if session.output.json => Ok(session.output.document(&job)?),
            Ok(job) => tell(&mut session, &job),
            Err(Failure::NotFound(what)) => {
                Err(Failure::NotFound(format!("{what}, and {unknown}")))
            }
            Err(failure) => Err(failure),
        }
    }
}

/// Jobs that wait for somebody, of all pages, at most `limit`.
async fn held(session: &mut Session<'_>, limit: usize) -> Result<Vec<Value>, Failure> {
    let channel = session.channel().await?;
    let bar = session.output.bar(None);
    let (mut held, mut after) = (Vec::new(), None::<String>);
    loop {
        let call = Call::get(["v1", "channels", &channel, "jobs"])
            .query("limit", Some(PAGE))
            .query("place", Some("held"))
            .query("after", after.as_ref());
        let page = session.client.json_surely(&call).await?;
        let jobs = jobs_of(&page).iter();
        let waits = |job: &&Value| job["place"].as_str().is_some_and(|at| PLACES.contains(&at));
        held.extend(jobs.filter(waits).take(limit - held.len()).cloned());
        bar.inc(PAGE as u64);
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() || held.len() == limit {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(held)
}

async fn redrive_all(mut session: Session<'_>) -> Result<(), Failure> {
    let channel = session.channel().await?;
    let mut changed = 0;
    for place in PLACES {
        let mut after: Option<String> = None;
        loop {
            let call = Call::post(["v1", "channels", &channel, "jobs:resume"])
                .query("limit", Some(PAGE))
                .query("all", Some(true))
                .query("place", Some(place))
                .query("after", after.as_ref());
            let page = session.client.json_surely(&call).await?;
            changed += page["changed"].as_u64().unwrap_or_default();
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
    }
    match session.output.json {
        true => session
            .output
            .document(&json!({ "channel": channel, "changed": changed }))?,
        false => session.output.line(&format!(
            "channel {channel}: {} jobs are polled again",
            count(changed)
        ))?,
    }
    Ok(())
}

async fn each(
    mut session: Session<'_>,
    jobs: &[JobId],
    action: &str,
    done: &str,
    already: &str,
) -> Result<(), Failure> {
    let channel = session.channel().await?;
    for job in jobs {
        let job = job.as_str();
        let call = Call::post(["v1", "channels", &channel, "jobs", job, action]);
        let answer = match session.client.json(&call).await {
            Ok(answer) => answer,
            Err(failure) => return Err(session.with_nearest_job(failure, &channel, job).await),
        };
        let changed = answer["changed"].as_bool().unwrap_or_default();
        let told = if changed { done } else { already };
        match session.output.json {
            true => session
                .output
                .json_line(&json!({ "id": job, "changed": changed }))?,
            false => session.output.line(&format!("{job} {told}"))?,
        }
    }
    Ok(())
}
