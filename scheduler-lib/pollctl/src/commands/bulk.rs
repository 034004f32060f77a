//! Single jobs, or many by what they have in common: `pollctl pause`, `resume`, and what `move` has of
//! them.

use std::time::Duration;

use clap::Args;
use polling_model::JobId;
use serde::Serialize;
use serde_json::json;

use super::filter::{At, Filter};
use crate::{client::Call, failure::Failure, session::Session, time::count};

/// Jobs that the server looks at for one answer.
const PAGE: usize = 500;

/// Which jobs.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Ids, such as `posts:42`; otherwise say what the jobs have in common.
    #[arg(value_name = "JOB")]
    pub(super) jobs: Vec<JobId>,

    #[command(flatten)]
    pub(super) filter: Filter,

    /// Every job of the channel.
    #[arg(long)]
    pub(super) all: bool,
}

/// How to go over many jobs.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// Only jobs that are there.
    pub(super) place: Option<At>,
    /// Most jobs in a second.
    pub(super) rate: Option<u32>,
    /// Where to begin.
    pub(super) after: Option<String>,
}

/// What came of many jobs.
#[derive(Debug, Default, Serialize)]
pub(super) struct Totals {
    pub(super) seen: u64,
    pub(super) matched: u64,
    pub(super) changed: u64,
    pub(super) in_flight: u64,
}

/// Jobs to hold.
#[derive(Debug, Args)]
#[command(after_help = "\
Many jobs are held page by page. A command that broke off is repeated: what is held stays held. Jobs
that are registered while it runs may be left out: `pollctl channel stop` holds up those, too, and at once.")]
pub(crate) struct Pause {
    #[command(flatten)]
    which: Which,
}

/// Jobs to return to the cycle.
#[derive(Debug, Args)]
#[command(after_help = "\
Of many jobs those that were paused are resumed; those in quarantine, for one, are not, unless --place
says so. They are placed within their intervals, so that they do not come all at once.")]
pub(crate) struct Resume {
    #[command(flatten)]
    which: Which,

    /// By which hold they are held.
    #[arg(long, value_enum)]
    place: Option<At>,
}

/// What is done, in the server's words and in ours.
struct Edit {
    action: &'static str,
    done: &'static str,
    already: &'static str,
    place: Option<At>,
}

impl Pause {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<(), Failure> {
        let edit = Edit {
            action: "pause",
            done: "paused",
            already: "was held before",
            place: None,
        };
        self.which.edit(session, &edit).await
    }
}

impl Resume {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<(), Failure> {
        if self.place.is_some() && !self.which.jobs.is_empty() {
            let error = "--place is for many jobs: a single one is resumed from any hold";
            return Err(Failure::Usage(error.to_owned()));
        }
        let edit = Edit {
            action: "resume",
            done: "resumed",
            already: "was not held",
            place: self.place,
        };
        self.which.edit(session, &edit).await
    }
}

impl Which {
    /// That it is said, and said once, which jobs are meant.
    pub(super) fn check(&self, action: &str) -> Result<(), Failure> {
        let kinds = [!self.jobs.is_empty(), !self.filter.is_empty(), self.all];
        if kinds.iter().filter(|given| **given).count() == 1 {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "say which jobs to {action}: ids, or --account, --job-type, --level, or --all for every job of the channel"
        )))
    }

    async fn edit(self, mut session: Session<'_>, edit: &Edit) -> Result<(), Failure> {
        self.check(edit.action)?;
        if !self.jobs.is_empty() {
            return edit_each(session, &self.jobs, edit).await;
        }
        let channel = session.channel().await?;
        let course = Course {
            place: edit.place,
            ..Course::default()
        };
        let action = format!("jobs:{}", edit.action);
        let totals = self.edit_many(&session, &[&action], &course).await?;
        let Totals {
            seen,
            matched,
            changed,
            ..
        } = totals;
        if session.output.json {
            session.output.document(&json!({
                "channel": channel, "seen": seen, "matched": matched, "changed": changed,
            }))?;
            return Ok(());
        }
        session.output.line(&format!(
            "channel {channel}: {} jobs {}, {} already were; {} looked at",
            count(changed),
            edit.done,
            count(matched - changed),
            count(seen)
        ))?;
        Ok(())
    }

    /// Has the server go over the channel's jobs, page by page, with an action below the channel's
    /// path.
    pub(super) async fn edit_many(
        &self,
        session: &Session<'_>,
        action: &[&str],
        course: &Course,
    ) -> Result<Totals, Failure> {
        let channel = session.channel.as_deref().unwrap_or_default();
        let path: Vec<_> = ["v1", "channels", channel]
            .into_iter()
            .chain(action.iter().copied())
            .collect();
        let limit = course.rate.map_or(PAGE, |rate| PAGE.min(rate as usize));
        let bar = session.output.bar(None);
        let mut totals = Totals::default();
        let mut after = course.after.clone();
        loop {
            let call = Call::post(path.iter().copied())
                .query("limit", Some(limit))
                .query("all", self.all.then_some(true))
                .query("place", course.place.map(At::as_str))
                .query("after", after.as_ref());
            let answered = session.client.json_surely(&self.filter.narrow(call)).await;
            let page = answered.map_err(|failure| {
                bar.finish_and_clear();
                broke_off(failure, after.as_deref(), &totals)
            })?;
            let figure = |name: &str| page[name].as_u64().unwrap_or_default();
            totals.seen += figure("seen");
            totals.matched += figure("matched");
            totals.changed += figure("changed");
            totals.in_flight += figure("in_flight");
            bar.set_position(totals.seen);
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
            if let Some(rate) = course.rate {
                let took = figure("matched") as f64 / f64::from(rate);
                tokio::time::sleep(Duration::from_secs_f64(took)).await;
            }
        }
        bar.finish_and_clear();
        Ok(totals)
    }
}

/// What is done so far is told, with where to go on.
fn broke_off(failure: Failure, after: Option<&str>, totals: &Totals) -> Failure {
    let told = |what: String| match after {
        Some(after) => format!(
            "{what}; {} jobs were changed before: repeat the command, or go on with --after '{after}' where it takes that",
            count(totals.changed)
        ),
        None => what,
    };
    match failure {
        Failure::NoAnswer(what) => Failure::NoAnswer(told(what)),
        Failure::Refused(what) => Failure::Refused(told(what)),
        failure => failure,
    }
}

async fn edit_each(mut session: Session<'_>, jobs: &[JobId], edit: &Edit) -> Result<(), Failure> {
    let channel = session.channel().await?;
    for job in jobs {
        let job = job.as_str();
        let call = Call::post(["v1", "channels", &channel, "jobs", job, edit.action]);
        let answer = match session.client.json(&call).await {
            Ok(answer) => answer,
            Err(failure) => return Err(session.with_nearest_job(failure, &channel, job).await),
        };
        let changed = answer["changed"].as_bool().unwrap_or_default();
        let told = if changed { edit.done } else { edit.already };
        match session.output.json {
            true => session
                .output
                .json_line(&json!({ "id": job, "changed": changed }))?,
            false => session.output.line(&format!("{job} {told}"))?,
        }
    }
    Ok(())
}
