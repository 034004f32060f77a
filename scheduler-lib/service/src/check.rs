//! What `--check` tells: every server and queue that the configuration names, what is wrong with them,
//! and how to mend it.

use std::{fmt, sync::Arc};

use futures_util::future::{BoxFuture, join, join_all};
use polling_model::SharedClock;
use scheduler_lib::duration;
use serde::Serialize;
use serde_json::Value;

use crate::{
    config::Config,
    servers::{self, ChannelParts, Finding, QueueFound, StoreFound},
};

/// What was found, by channel.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether the scheduler would start.
    pub ok: bool,
    /// In the order of their names.
    pub channels: Vec<ChannelReport>,
}

/// What was found of one channel.
#[derive(Debug, Serialize)]
pub struct ChannelReport {
    /// Its name.
    pub channel: String,
    /// Its store and its queues.
    pub parts: Vec<PartReport>,
    /// What keeps it from being served.
    pub problems: Vec<Finding>,
    /// What is allowed but hardly wanted.
    pub warnings: Vec<Finding>,
}

/// One store or queue.
#[derive(Debug, Serialize)]
pub struct PartReport {
    /// What it is for.
    pub role: String,
    /// Its name, or its address without credentials.
    pub name: String,
    /// What is in it; the problem if it cannot be used.
    pub found: String,
    /// Whether it answers.
    pub ok: bool,
}

/// What `/v1/check` tells: the same, whenever somebody asks.
pub fn of(
    config: Config,
    clock: SharedClock,
) -> impl Fn() -> BoxFuture<'static, Value> + Send + Sync + 'static {
    let parts = Arc::new((config, clock));
    move || {
        let parts = Arc::clone(&parts);
        Box::pin(async move {
            let report = check(&parts.0, &parts.1).await;
            serde_json::to_value(report).expect("a report is plain data")
        })
    }
}

/// Opens everything that the configuration names, as a start would, and tells what is there.
pub async fn check(config: &Config, clock: &SharedClock) -> Report {
    let (parts, mut settings) = join(
        servers::open(config, clock),
        servers::settings(config, clock),
    )
    .await;
    let mut stores = join_all(parts.iter().map(look_at_store)).await.into_iter();
    let report = |parts: &ChannelParts| {
        let (problems, warnings) = settings.remove(&parts.channel).unwrap_or_default();
        let mut report = ChannelReport::new(parts);
        let (problem, warning) = stores.next().unwrap_or_default();
        report.problems.extend(problem);
        report.warnings.extend(warning);
        // A store that may throw jobs away, for one, has said so itself.
        if parts.store.is_ok() {
            report.problems.extend(problems);
        }
        report.warnings.extend(warnings);
        report
    };
    let channels: Vec<_> = parts.iter().map(report).collect();
    Report {
        ok: channels.iter().all(|channel| channel.problems.is_empty()),
        channels,
    }
}

/// A problem and a warning of a store that answers. Reading, which opening it is, goes on where writes
/// are refused.
async fn look_at_store(parts: &ChannelParts) -> (Option<Finding>, Option<Finding>) {
    let Ok(found) = &parts.store else {
        return (None, None);
    };
    let refused = found.store.check().await.err();
    let stopped = found.store.stopped().await.ok().flatten();
    let warning = stopped.map(|reason| {
        Finding::new(
            format!("the channel is stopped ({reason}): none of its jobs is polled"),
            format!(
                "`pollctl --channel {} channel start`, once it may go on",
                parts.channel
            ),
        )
    });
    (refused.as_ref().map(Finding::from), warning)
}

impl ChannelReport {
    fn new(parts: &ChannelParts) -> Self {
        let queues = parts.queues.iter().map(|part| PartReport {
            role: part.role.to_string(),
            name: part.name.clone(),
            found: words(&part.found, describe_queue),
            ok: part.found.is_ok(),
        });
        let store = PartReport {
            role: "store".to_owned(),
            name: parts
                .store
                .as_ref()
                .map_or_else(|_| "-".to_owned(), |store| store.address.clone()),
            found: words(&parts.store, describe_store),
            ok: parts.store.is_ok(),
        };
        Self {
            channel: parts.channel.to_string(),
            parts: [store].into_iter().chain(queues).collect(),
            problems: parts.problems(),
            warnings: parts.warnings(),
        }
    }
}

fn words<T>(found: &Result<T, Finding>, describe: impl Fn(&T) -> String) -> String {
    match found {
        Ok(found) => describe(found),
        Err(problem) => problem.to_string(),
    }
}

fn describe_store(found: &StoreFound) -> String {
    let counts = found.counts;
    format!(
        "{} jobs: {} in slots, {} in flight, {} later, {} held",
        counts.registered, counts.slots, counts.in_flight, counts.later, counts.held
    )
}

fn describe_queue(found: &QueueFound) -> String {
    let redrive = match &found.redrive {
        Some(redrive) => format!(
            "to {} after {} receives",
            redrive.dead_letter, redrive.max_receives
        ),
        None => "no redrive".to_owned(),
    };
    let life = found.message_life.map_or_else(String::new, |life| {
        format!(
            "; a message is polled at most {} after its dispatch",
            duration::text(life)
        )
    });
    format!(
        "{} visible, {} in flight; visibility {}; {redrive}{life}",
        found.stats.visible,
        found.stats.in_flight,
        duration::text(found.queue.visibility_timeout())
    )
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for channel in &self.channels {
            writeln!(f, "{channel}")?;
        }
        let problems: usize = self
            .channels
            .iter()
            .map(|channel| channel.problems.len())
            .sum();
        match problems {
            0 => write!(f, "ok: the scheduler can start"),
            1 => write!(f, "1 problem: the scheduler would not start"),
            many => write!(f, "{many} problems: the scheduler would not start"),
        }
    }
}

impl fmt::Display for ChannelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "channel {}", self.channel)?;
        let width = |of: fn(&PartReport) -> &str| {
            let widths = self.parts.iter().map(|part| of(part).chars().count());
            widths.max().unwrap_or_default()
        };
        let (roles, names) = (width(|part| &part.role), width(|part| &part.name));
        for PartReport {
            role,
            name,
            found,
            ok,
        } in &self.parts
        {
            let mark = if *ok { "ok    " } else { "FAILED" };
            writeln!(f, "  {mark}  {role:roles$}  {name:names$}  {found}")?;
        }
        let told: Vec<_> = self.parts.iter().map(|part| &part.found).collect();
        for Finding { what, mend } in &self.problems {
            match told.contains(&what) {
                // Its line is above.
                true => writeln!(f, "  to mend {}: {mend}", self.place_of(what))?,
                false => writeln!(f, "  problem: {what}\n     mend: {mend}")?,
            }
        }
        for Finding { what, mend } in &self.warnings {
            writeln!(f, "  warning: {what}\n     mend: {mend}")?;
        }
        Ok(())
    }
}

impl ChannelReport {
    /// What a part is called that says `what` of itself.
    fn place_of(&self, what: &str) -> &str {
        let part = self.parts.iter().find(|part| part.found == what);
        part.map_or("it", |part| &part.role)
    }
}
