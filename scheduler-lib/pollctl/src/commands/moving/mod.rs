//! `pollctl move`

mod to;

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use serde_json::{Value, json};

use self::to::To;
use super::bulk::{Course, Totals, Which};
use crate::{
    client::Call,
    failure::Failure,
    session::{Session, jobs_of},
    time::count,
};

/// Jobs that the server looks at for one answer.
const PAGE: usize = 500;

/// Which jobs, and where to.
#[derive(Debug, Args)]
#[command(after_help = "\
  --to held             as `pause`: until somebody resumes them
  --to now              into the drain that runs, held or not; what is in flight, once more after it
  --to TIME             2027-01-15T03:00:00Z, or in +2h: what waits, spread over --over
  --to channel:NAME     another channel of the same scheduler, with contexts, rules and times. Each job is held
                        here, put there, removed here: no two channels poll it

What is in flight is left as it is for the last two, and told: its poll ends, and repeating the command moves
it then. Every job is moved by itself; a command that broke off is repeated, or goes on with --after.")]
pub(crate) struct Move {
    #[command(flatten)]
    which: Which,

    /// held, now, a time, or channel:NAME.
    #[arg(long)]
    to: To,

    /// Spreads them over so long from the time on.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    over: Duration,

    /// Most jobs in a second.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,

    /// Goes on where a command broke off that said so.
    #[arg(long, value_name = "CURSOR", conflicts_with = "jobs")]
    after: Option<String>,

    /// Only counts the jobs that are meant, by where they are.
    #[arg(long)]
    dry_run: bool,

    /// Asks nothing.
    #[arg(long, short)]
    yes: bool,
}

impl Move {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        self.which.check("move")?;
        let channel = session.channel().await?;
        if self.dry_run {
            return self.count(&mut session, &channel).await;
        }
        let to = self.to.told(self.over, session.clock.now_ms());
        let question = format!("move {} of channel {channel} {to}?", self.meant());
        session.confirm(self.yes, &question)?;
        let action = self.to.action(self.over, session.clock.now_ms());
        let action: Vec<&str> = action.iter().map(String::as_str).collect();
        let totals = match self.which.jobs.is_empty() {
            true => {
                let course = Course {
                    rate: Some(self.rate),
                    after: self.after.clone(),
                    ..Course::default()
                };
                let action = match self.to {
                    To::Held => vec!["jobs:pause"],
                    _ => [&["jobs:move"], &action[..]].concat(),
                };
                self.which.edit_many(&session, &action, &course).await?
            }
            false => self.each(&mut session, &channel, &action).await?,
        };
        tell(&mut session, &channel, &to, &totals)
    }

    /// Which jobs, in words.
    fn meant(&self) -> String {
        match (self.which.jobs.len(), self.which.all) {
            (0, true) => "every job".to_owned(),
            (0, false) => format!("the jobs {}", self.which.filter.told()),
            (jobs, _) => format!("{jobs} jobs"),
        }
    }

    /// Single jobs.
    async fn each(
        &self,
        session: &mut Session<'_>,
        channel: &str,
        action: &[&str],
    ) -> Result<Totals, Failure> {
        let mut totals = Totals::default();
        for job in &self.which.jobs {
            let job = job.as_str();
            let path = ["v1", "channels", channel, "jobs", job];
            let call = match self.to {
                To::Held => Call::post(path.into_iter().chain(["pause"])),
                To::Now => Call::post(path.into_iter().chain(["run-now"])),
                _ => Call::post(
                    path.into_iter()
                        .chain(["move"])
                        .chain(action.iter().copied()),
                ),
            };
            let answer = match session.client.json(&call).await {
                Ok(answer) => answer,
                Err(failure) => return Err(session.with_nearest_job(failure, channel, job).await),
            };
            let is = |name: &str| u64::from(answer[name] == true);
            totals.seen += 1;
            totals.matched += 1;
            // A run asked for answers nothing.
            totals.changed += is("changed").max(u64::from(answer.is_null()));
            totals.in_flight += is("in_flight");
        }
        Ok(totals)
    }

    /// How many jobs are meant, by their place.
    async fn count(&self, session: &mut Session<'_>, channel: &str) -> Result<(), Failure> {
        let mut places = BTreeMap::<String, u64>::new();
        let mut note = |job: &Value| {
            let place = job["place"].as_str().unwrap_or_default();
            *places.entry(place.to_owned()).or_default() += 1;
        };
        for job in &self.which.jobs {
            let call = Call::get(["v1", "channels", channel, "jobs", job.as_str()]);
            note(&session.client.json(&call).await?);
        }
        let mut after = self.after.clone();
        while self.which.jobs.is_empty() {
            let call = Call::get(["v1", "channels", channel, "jobs"])
                .query("limit", Some(PAGE))
                .query("after", after.as_ref());
            let call = self.which.filter.narrow(call);
            let page = session.client.json_surely(&call).await?;
            jobs_of(&page).iter().for_each(&mut note);
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        if session.output.json {
            let told = json!({ "channel": channel, "dry_run": true, "places": places });
            session.output.document(&told)?;
            return Ok(());
        }
        let all: u64 = places.values().sum();
        let each = places
            .iter()
            .map(|(place, jobs)| format!("{} {place}", count(*jobs)));
        let each: Vec<_> = each.collect();
        session.output.line(&format!(
            "channel {channel}: {} jobs would be moved {} ({}); nothing was done",
            count(all),
            self.to.told(self.over, session.clock.now_ms()),
            each.join(", ")
        ))?;
        Ok(())
    }
}

fn tell(
    session: &mut Session<'_>,
    channel: &str,
    to: &str,
    totals: &Totals,
) -> Result<(), Failure> {
    let Totals {
        seen,
        matched,
        changed,
        in_flight,
    } = totals;
    if session.output.json {
        session.output.document(&json!({
            "channel": channel, "seen": seen, "matched": matched, "moved": changed, "in_flight": in_flight,
        }))?;
        return Ok(());
    }
    session.output.line(&format!(
        "channel {channel}: {} of {} jobs moved {to}",
        count(*changed),
        count(*matched)
    ))?;
    if *in_flight > 0 {
        session.output.line(&format!(
            "{} are in flight, and left as they are: repeat the command once they are settled",
            count(*in_flight)
        ))?;
    }
    let rest = matched - changed - in_flight;
    if rest > 0 {
        let line = format!(
            "{} had nothing to change: held, or there already",
            count(rest)
        );
        session.output.line(&line)?;
    }
    Ok(())
}
