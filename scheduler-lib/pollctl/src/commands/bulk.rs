//! `pollctl pause`, `resume`: single jobs, or many by what they have in common.

use clap::Args;
use polling_model::JobId;
use serde_json::json;

use super::filter::{At, Filter};
use crate::{client::Call, failure::Failure, session::Session, time::count};

/// Jobs that the server looks at for one answer.
const PAGE: usize = 500;

/// Which jobs.
#[derive(Debug, Args)]
struct Which {
    /// Ids, such as `posts:42`; otherwise say what the jobs have in common.
    #[arg(value_name = "JOB")]
    jobs: Vec<JobId>,

    #[command(flatten)]
    filter: Filter,

    /// Every job of the channel.
    #[arg(long)]
    all: bool,
}

/// Jobs to hold.
#[derive(Debug, Args)]
#[command(after_help = "\
Many jobs are held page by page. A command that broke off is repeated: what is held stays held. Jobs
that are registered while it runs may be left out; run it once more if there are such.")]
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
    async fn edit(self, session: Session<'_>, edit: &Edit) -> Result<(), Failure> {
        let kinds = [!self.jobs.is_empty(), !self.filter.is_empty(), self.all];
        if kinds.iter().filter(|given| **given).count() != 1 {
            return Err(Failure::Usage(format!(
                "say which jobs to {}: ids, or --account, --job-type, --level, or --all for every job of the channel",
                edit.action
            )));
        }
        match self.jobs.is_empty() {
            true => self.edit_many(session, edit).await,
            false => edit_each(session, &self.jobs, edit).await,
        }
    }

    async fn edit_many(&self, mut session: Session<'_>, edit: &Edit) -> Result<(), Failure> {
        let channel = session.channel().await?;
        let action = format!("jobs:{}", edit.action);
        let bar = session.output.bar(None);
        let (mut seen, mut matched, mut changed) = (0, 0, 0);
        let mut after: Option<String> = None;
        loop {
            let call = Call::post(["v1", "channels", &channel, &action])
                .query("limit", Some(PAGE))
                .query("all", self.all.then_some(true))
                .query("place", edit.place.map(At::as_str))
                .query("after", after.as_ref());
            let answered = session.client.json_surely(&self.filter.narrow(call)).await;
            let page = answered.inspect_err(|_| bar.finish_and_clear())?;
            let figure = |name: &str| page[name].as_u64().unwrap_or_default();
            seen += figure("seen");
            matched += figure("matched");
            changed += figure("changed");
            bar.set_position(seen);
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        bar.finish_and_clear();
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
