//! How often things happened, by the channel's log, by Prometheus and by Graphite: the same, if all is well.

use std::collections::BTreeMap;

use clap::Args;
use examples::watching::{Graphite, Prometheus, Reading};
use serde::Serialize;

use crate::channel_log::{ChannelLog, Response};

/// Polls by outcome.
const POLLS: &str = "polling_polls_total";

/// The events that polls brought.
const EVENTS: &str = "polling_poll_events_total";

/// The cycles that the scheduler settled, by verdict and outcome.
const SETTLED: &str = "polling_settled_total";

/// Who else counted.
#[derive(Debug, Clone, Args)]
pub(crate) struct OtherCounts {
    /// Prometheus: its counts must be those of the channel's log. For that nothing may be under way, and no process that
    /// counts may have been killed.
    #[arg(long, requires = "run")]
    prometheus: Option<String>,
    /// Graphite's web application: its counts must be the same.
    #[arg(long, requires = "run")]
    graphite: Option<String>,
    /// The label `run` in Prometheus, and what follows `polling.` in Graphite's paths.
    #[arg(long)]
    run: Option<String>,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Polls by outcome.
    pub(crate) polls: BTreeMap<String, u64>,
    /// Cycles that the scheduler settled, by the same.
    pub(crate) settled: BTreeMap<String, u64>,
    /// Events that polls brought.
    pub(crate) events: u64,
}

/// By the channel's log, and by those that were asked.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Counted {
    pub(crate) channel: Counts,
    pub(crate) others: BTreeMap<&'static str, Counts>,
}

impl Counted {
    /// Asks those that `options` name.
    pub(crate) fn ask(options: &OtherCounts, log: &ChannelLog) -> anyhow::Result<Self> {
        let mut others = BTreeMap::new();
        let run = options.run.as_deref().unwrap_or_default();
        if let Some(url) = &options.prometheus {
            others.insert("Prometheus", of_prometheus(&Prometheus::at(url)?, run)?);
        }
        if let Some(url) = &options.graphite {
            others.insert("Graphite", of_graphite(&Graphite::at(url)?, run)?);
        }
        Ok(Self {
            channel: Counts::of(log),
            others,
        })
    }

    pub(crate) fn alike(&self) -> bool {
        self.others.values().all(|counts| *counts == self.channel)
    }
}

impl Counts {
    /// A poll ends as its last page did, and is settled once.
    fn of(log: &ChannelLog) -> Self {
        let mut last_pages: BTreeMap<(u64, usize), &Response> = BTreeMap::new();
        let mut polls_of: BTreeMap<u64, usize> = BTreeMap::new();
        for response in &log.responses {
            let polls = polls_of.entry(response.account).or_default();
            *polls += usize::from(response.starts_poll());
            last_pages.insert((response.account, *polls), response);
        }
        let mut polls: BTreeMap<String, u64> = BTreeMap::new();
        for response in last_pages.values() {
            *polls
                .entry(outcome(response.status).to_owned())
                .or_default() += 1;
        }
        let offered = log.responses.iter().map(|page| page.ids.len() as u64);
        Self {
            settled: polls.clone(),
            polls,
            events: offered.sum(),
        }
    }
}

/// What the worker's poller makes of a status.
fn outcome(status: u16) -> &'static str {
    match status {
        200 => "ok",
        401 | 403 => "unauthorized",
        404 | 410 => "gone",
        429 => "rate_limited",
        500.. => "transient",
        _ => "invalid",
    }
}

fn of_prometheus(prometheus: &Prometheus, run: &str) -> anyhow::Result<Counts> {
    let read = |metric: &str| {
        // Of processes that have ended, too.
        let query = format!("last_over_time({metric}{{run=\"{run}\"}}[10m])");
        prometheus.query(&query)
    };
    counts(read)
}

fn of_graphite(graphite: &Graphite, run: &str) -> anyhow::Result<Counts> {
    counts(|metric: &str| graphite.last(&format!("polling.{run}.*"), metric))
}

/// Over all processes.
fn counts(read: impl Fn(&str) -> anyhow::Result<Vec<Reading>>) -> anyhow::Result<Counts> {
    let settled = read(SETTLED)?.into_iter();
    let accepted = settled.filter(|reading| {
        reading
            .labels
            .get("verdict")
            .is_some_and(|verdict| verdict == "accepted")
    });
    let events = read(EVENTS)?
        .into_iter()
        .map(|reading| reading.value as u64);
    Ok(Counts {
        polls: by_outcome(read(POLLS)?),
        settled: by_outcome(accepted),
        events: events.sum(),
    })
}

fn by_outcome(readings: impl IntoIterator<Item = Reading>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for reading in readings {
        let outcome = reading.labels.get("outcome").cloned().unwrap_or_default();
        *sums.entry(outcome).or_default() += reading.value as u64;
    }
    sums.retain(|_, sum| *sum > 0);
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pages of a poll that is stopped by the second, and a poll after it.
    fn log() -> ChannelLog {
        let line = |number, since, min, status, ids: &[u64]| {
            format!(
                r#"{{"kind":"response","number":{number},"time_ms":5,"account":7,"worker":"a","since_id":{since},"min_id":{min},"limit":2,"status":{status},"ids":{ids:?},"remaining":3}}"#
            )
        };
        let lines = [
            line(1, 0, 0, 200, &[9, 8]),
            line(2, 0, 9, 503, &[]),
            line(3, 9, 9, 200, &[10]),
        ];
        ChannelLog::parse(&(lines.join("\n") + "\n")).unwrap()
    }

    fn told(extra: f64) -> impl Fn(&str) -> anyhow::Result<Vec<Reading>> {
        move |metric| {
            let reading = |outcome: &str, verdict: &str, value| {
                let labels = [("outcome", outcome), ("verdict", verdict)];
                let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
                Reading {
                    labels: labels.into(),
                    value,
                }
            };
            Ok(match metric {
                EVENTS => vec![reading("", "", 1.0), reading("", "", 2.0)],
                _ => vec![
                    reading("ok", "accepted", 1.0 + extra),
                    reading("transient", "accepted", 1.0),
                    reading("gone", "accepted", 0.0),
                ],
            })
        }
    }

    #[test]
    fn a_poll_ends_as_its_last_page_did() {
        assert_eq!(Counts::of(&log()), counts(told(0.0)).unwrap());
    }

    #[test]
    fn one_poll_more_is_not_alike() {
        let counted = |extra| Counted {
            channel: Counts::of(&log()),
            others: BTreeMap::from([("Prometheus", counts(told(extra)).unwrap())]),
        };
        assert!(counted(0.0).alike());
        assert!(!counted(1.0).alike());
    }
}
