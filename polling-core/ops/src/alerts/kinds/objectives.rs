//! Of objectives: how fast their error budget burns.

use super::Draft;
use crate::{
    alerts::{
        kind::{Kind, Unit},
        series::{Metric, Series},
        subject::Subject,
        value::Value,
    },
    objectives::{Measure, Objective},
};

static EVENTS: Metric = Metric::new(
    "polling_staleness_objective_events_total",
    &["channel", "level"],
);
static STALE: Metric = Metric::new(
    "polling_staleness_missed_events_total",
    &["channel", "level"],
);
static JOBS: Metric = Metric::new("polling_lateness_objective_jobs_total", &["channel"]);
static LATE: Metric = Metric::new("polling_lateness_missed_jobs_total", &["channel"]);

#[cfg(test)]
pub(super) const METRICS: &[&Metric] = &[&EVENTS, &STALE, &JOBS, &LATE];

/// The factors of [`rules`](crate::objectives::rules) over 30 days, where one window has to do.
#[rustfmt::skip]
pub(in crate::alerts) static BURN: Kind = Kind::above("burn", "PollingBudgetBurns", Unit::Count,
    &[("warning", "6"), ("critical", "14.4"), ("for", "2m"), ("window", "1h"), ("least", "1")],
    "the error budget burns {} times as fast as it may, within {window}");

pub(super) fn draft(objective: &Objective) -> Draft {
    let of = |metric| Series::of(metric).with("channel", objective.channel.as_str());
    let (missed, all) = match &objective.measure {
        Measure::Staleness { level } => {
            let of = |metric| of(metric).with("level", level.as_str());
            (of(&STALE), of(&EVENTS))
        }
        Measure::Lateness => (of(&LATE), of(&JOBS)),
    };
    let value = Value::Burn {
        missed,
        all,
        budget: objective.budget(),
    };
    Draft::new(&Subject::of_objective(objective), &BURN, value)
}
