//! `pollctl scale`: how many workers there should be, told or applied.

mod exec;
mod pace;

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use self::{
    exec::{Exec, Named},
    pace::Pace,
};
use crate::{
    client::Call,
    failure::Failure,
    session::Session,
    table::{Cell, Colour, Table},
    time::{at, relative},
};

/// Least time between two looks.
const MIN_EVERY: Duration = Duration::from_millis(100);

/// What to do with the numbers.
#[derive(Debug, Args)]
#[command(after_help = "\
The scheduler decides for each job type that has rules under [scaling] in its configuration, and says why.

  pollctl scale --watch --exec 'kubectl scale --replicas {workers} deployment/{channel}-{job_type}'

The command is split at spaces, quotes kept together, and {workers}, {job_type} and {channel} are put into
its words: no shell sees it. It is called when the number changes, at most once in --min-interval for each
job type; one that fails is tried three times, and again at a later look. A number that the scheduler has
not confirmed of late is left as it is. Who stops workers does it by SIGTERM: they end what they have under
way.")]
pub(crate) struct Scale {
    /// Goes on, and tells each change.
    #[arg(long)]
    watch: bool,

    /// Between two looks.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration, requires = "watch")]
    every: Duration,

    /// Ends after so many looks.
    #[arg(long, value_name = "COUNT", requires = "watch")]
    looks: Option<u64>,

    /// A command that sets the number of workers of a job type.
    #[arg(long, value_name = "COMMAND")]
    exec: Option<Exec>,

    /// Least time between two calls of it for one job type.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration, requires = "exec")]
    min_interval: Duration,

    /// Longest time for one call of it.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration, requires = "exec")]
    exec_timeout: Duration,
}

/// What the scheduler decided on a job type.
#[derive(Debug, Deserialize)]
struct Decided {
    job_type: String,
    workers: u32,
    reason: String,
    decided_ms: i64,
    stale: bool,
}

/// What this command knows of a job type.
#[derive(Debug, Default)]
struct Known {
    /// The last number told, and whether it was stale.
    told: Option<(u32, bool)>,
    pace: Pace,
}

impl Scale {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let channel = session.channel().await?;
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        let mut looks = 0;
        loop {
            let looked = look(&session, &channel).await;
            let failed = match looked {
                Ok(decided) if decided.is_empty() && looks > 0 => 0,
                Ok(decided) if decided.is_empty() => {
                    let note = format!(
                        "channel {channel}: no job type has rules under [scaling.channels.{channel}], or nothing is decided yet"
                    );
                    session.output.note(&note)?;
                    0
                }
                Ok(decided) => {
                    self.tell(&mut session, &channel, &decided, &mut known)?;
                    self.apply(&mut session, &channel, &decided, &mut known)
                        .await?
                }
                // The numbers stay as they are until it answers again.
                Err(Failure::NoAnswer(what)) if self.watch => {
                    session.output.note(&what)?;
                    0
                }
                Err(failure) => return Err(failure),
            };
            looks += 1;
            if !self.watch || self.looks.is_some_and(|most| looks >= most) {
                return match failed {
                    0 => Ok(()),
                    failed => Err(Failure::Problem(format!("{failed} numbers are not set"))),
                };
            }
            tokio::time::sleep(self.every.max(MIN_EVERY)).await;
        }
    }

    /// Once all; later what has changed.
    fn tell(
        &self,
        session: &mut Session<'_>,
        channel: &str,
        decided: &[Decided],
        known: &mut BTreeMap<String, Known>,
    ) -> Result<(), Failure> {
        let now_ms = session.clock.now_ms();
        let first = known.is_empty();
        let mut table = Table::new(["JOB TYPE", "WORKERS", "DECIDED", "WHY"]);
        for one in decided {
            let known = known.entry(one.job_type.clone()).or_default();
            let before = known.told.replace((one.workers, one.stale));
            if before == known.told {
                continue;
            }
            let was = before.map(|(workers, _)| workers);
            if session.output.json {
                session.output.json_line(&one.line(channel, was))?;
            } else if first {
                table.row(one.row(now_ms));
            } else {
                session.output.line(&one.change(was, now_ms))?;
            }
        }
        if !table.is_empty() {
            session.output.table(&table)?;
        }
        Ok(())
    }

    /// Calls the command where a number is to be set; how many calls failed.
    async fn apply(
        &self,
        session: &mut Session<'_>,
        channel: &str,
        decided: &[Decided],
        known: &mut BTreeMap<String, Known>,
    ) -> Result<usize, Failure> {
        let Some(exec) = &self.exec else {
            return Ok(0);
        };
        let mut failed = 0;
        for one in decided.iter().filter(|one| !one.stale) {
            let pace = &mut known.entry(one.job_type.clone()).or_default().pace;
            if !pace.allows(one.workers, session.clock.now_ms(), self.min_interval) {
                continue;
            }
            let named = Named {
                channel,
                job_type: &one.job_type,
                workers: one.workers,
            };
            let called = exec.call(&named, self.exec_timeout).await;
            pace.called(one.workers, session.clock.now_ms(), called.is_ok());
            if let Err(what) = called {
                failed += 1;
                let note = format!(
                    "{}: {} workers are not set: {what}",
                    one.job_type, one.workers
                );
                session.output.note(&note)?;
            }
        }
        Ok(failed)
    }
}

async fn look(session: &Session<'_>, channel: &str) -> Result<Vec<Decided>, Failure> {
    let call = Call::get(["v1", "channels", channel, "scaling"]);
    let answer = session.client.json(&call).await?;
    serde_json::from_value(answer["scaling"].clone()).map_err(|error| {
        Failure::Problem(format!(
            "the scheduler's answer cannot be understood: {error}; is it older than this program?"
        ))
    })
}

impl Decided {
    fn line(&self, channel: &str, was: Option<u32>) -> Value {
        json!({
            "channel": channel, "job_type": self.job_type, "workers": self.workers, "was": was,
            "reason": self.reason, "decided_ms": self.decided_ms, "stale": self.stale,
        })
    }

    fn row(&self, now_ms: i64) -> [Cell; 4] {
        let age = Cell::from(relative(self.decided_ms, now_ms));
        let age = match self.stale {
            true => age.colour(Colour::Bad),
            false => age,
        };
        [
            self.job_type.as_str().into(),
            Cell::number(self.workers.to_string()),
            age,
            self.reason.as_str().into(),
        ]
    }

    /// A later change, on a line of its own.
    fn change(&self, was: Option<u32>, now_ms: i64) -> String {
        let Self {
            job_type,
            workers,
            reason,
            ..
        } = self;
        let time = at(now_ms);
        match (was, self.stale) {
            (_, true) => format!(
                "{time}  {job_type}  nothing decided since {}: {workers} stay",
                at(self.decided_ms)
            ),
            (Some(was), _) if was != *workers => {
                format!("{time}  {job_type}  {was} -> {workers}  {reason}")
            }
            _ => format!("{time}  {job_type}  {workers}  {reason}"),
        }
    }
}
