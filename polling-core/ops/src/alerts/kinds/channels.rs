//! Of channels: whether the scheduler keeps up, and what goes wrong in the cycle.

use super::Draft;
use crate::{
    alerts::{
        Channel,
        kind::{Kind, Unit},
        series::{Metric, Part, Series},
        subject::Subject,
        value::Value,
    },
    metrics::LATENESS_BOUNDS,
};

static TICK_AGE: Metric = Metric::new("polling_tick_age_seconds", &["channel"]);
static LATENESS: Metric = Metric::new("polling_drain_lateness_seconds", &["channel"]);
static BACKLOG: Metric = Metric::new("polling_backlog_slots", &["channel"]);
static BURSTING: Metric = Metric::new("polling_bursting_accounts", &["channel"]);
static SETTLED: Metric = Metric::new("polling_settled_total", &["channel", "verdict", "outcome"]);
static REPAIRED: Metric = Metric::new("polling_repaired_jobs_total", &["channel"]);
static REAPED: Metric = Metric::new("polling_reaped_jobs_total", &["channel"]);
static DRAINED: Metric = Metric::new("polling_drained_jobs_total", &["channel"]);
static POSTPONED: Metric = Metric::new("polling_postponed_jobs_total", &["channel", "at", "by"]);
static LEFT: Metric = Metric::new("polling_scope_left_ratio", &["channel", "scope"]);
pub(super) static DEPTH: Metric = Metric::new("polling_queue_depth_messages", &["queue", "state"]);
pub(super) static AGE: Metric = Metric::new("polling_queue_oldest_message_age_seconds", &["queue"]);

#[cfg(test)]
pub(super) const METRICS: &[&Metric] = &[
    &TICK_AGE, &LATENESS, &BACKLOG, &BURSTING, &SETTLED, &REPAIRED, &REAPED, &DRAINED, &POSTPONED,
    &LEFT, &DEPTH, &AGE,
];

#[rustfmt::skip]
static STANDSTILL: Kind = Kind::above("standstill", "PollingSchedulerStandsStill", Unit::Seconds,
    &[("warning", "1m"), ("critical", "5m"), ("for", "1m")],
    "the slots were not looked at for {}").never_silent();

#[rustfmt::skip]
static LATE: Kind = Kind::above("lateness", "PollingJobsAreLate", Unit::Share,
    &[("warning", "5%"), ("critical", "25%"), ("for", "5m"), ("window", "15m"), ("least", "1"), ("within", "1m")],
    "{} of the chunks were drained later than {within}, within {window}").within(&LATENESS_BOUNDS);

#[rustfmt::skip]
static BEHIND: Kind = Kind::above("backlog", "PollingSlotsAreBehind", Unit::Count,
    &[("warning", "1"), ("critical", "10"), ("for", "10m")],
    "{} slots are to be caught up");

#[rustfmt::skip]
static DEAD_LETTERS: Kind = Kind::above("dead-letters", "PollingDeadLetters", Unit::Count,
    &[("warning", "0"), ("critical", "100"), ("for", "0s"), ("window", "15m")],
    "{} messages were given up by workers within {window}");

#[rustfmt::skip]
static REPAIRS: Kind = Kind::above("repairs", "PollingJobsAreRepaired", Unit::Count,
    &[("warning", "0"), ("critical", "100"), ("for", "0s"), ("window", "1h")],
    "the place of {} jobs had to be mended within {window}: without faults it is none");

#[rustfmt::skip]
static OVERDUE: Kind = Kind::above("reaped", "PollingJobsAreReaped", Unit::Share,
    &[("warning", "1%"), ("critical", "10%"), ("for", "5m"), ("window", "15m"), ("least", "100")],
    "{} of the jobs were not heard of by their deadline, within {window}");

#[rustfmt::skip]
static CUSHION: Kind = Kind::above("cushion", "PollingCushionIsUnderPressure", Unit::Share,
    &[("warning", "50%"), ("critical", "200%"), ("for", "30m"), ("window", "15m"), ("least", "100")],
    "for each job that was drained, {} were kept back for the cushion, within {window}");

#[rustfmt::skip]
static EXHAUSTED: Kind = Kind::above("exhausted", "PollingLimitsAreExhausted", Unit::Share,
    &[("warning", "5%"), ("critical", "25%"), ("for", "15m"), ("window", "15m"), ("least", "100")],
    "after {} of the polls no call was left of a limit, within {window}");

#[rustfmt::skip]
static BURST: Kind = Kind::above("bursts", "PollingAccountsBurst", Unit::Count,
    &[("warning", "10"), ("critical", "off"), ("for", "30m")],
    "of {} accounts a poll of the last hour found more than it could fetch");

#[rustfmt::skip]
static COMPLETED_SIZE: Kind = Kind::above("completed-queue-size", "PollingCompletedQueueIsLong", Unit::Count,
    &[("warning", "10000"), ("critical", "100000"), ("for", "10m")],
    "{} completions wait to be settled");

#[rustfmt::skip]
static COMPLETED_AGE: Kind = Kind::above("completed-oldest-message", "PollingCompletedQueueIsOld", Unit::Seconds,
    &[("warning", "1m"), ("critical", "5m"), ("for", "5m")],
    "the oldest completion has waited for {}");

#[rustfmt::skip]
static DEAD_SIZE: Kind = Kind::above("dead-letter-queue-size", "PollingDeadLetterQueueIsLong", Unit::Count,
    &[("warning", "100"), ("critical", "1000"), ("for", "10m")],
    "{} dead letters wait to be settled");

pub(super) fn drafts(channel: &Channel) -> Vec<Draft> {
    let subject = Subject::Channel(channel.id.clone());
    let of = |metric| Series::of(metric).with("channel", channel.id.as_str());
    let draft = |kind, value| Draft::new(&subject, kind, value);
    let share = |part, whole| Value::Share { part, whole };
    let drained = || of(&DRAINED);
    let mut drafts = vec![
        draft(&STANDSTILL, Value::Largest(of(&TICK_AGE))),
        draft(&LATE, Value::Beyond(of(&LATENESS))),
        draft(&BEHIND, Value::Largest(of(&BACKLOG))),
        draft(&BURST, Value::Largest(of(&BURSTING))),
        draft(
            &DEAD_LETTERS,
            Value::Rise(of(&SETTLED).with("outcome", "dead_letter")),
        ),
        draft(&REPAIRS, Value::Rise(of(&REPAIRED))),
        draft(&OVERDUE, share(of(&REAPED), drained())),
        draft(
            &CUSHION,
            share(of(&POSTPONED).with("by", "cushion"), drained()),
        ),
        draft(
            &EXHAUSTED,
            share(of(&LEFT).part(Part::UpTo(0.0)), of(&LEFT).part(Part::Count)),
        ),
    ];
    if let Some(queue) = &channel.completed_queue {
        drafts.push(draft(&COMPLETED_SIZE, Value::Largest(visible(queue))));
        drafts.push(draft(&COMPLETED_AGE, Value::Largest(oldest(queue))));
    }
    if let Some(queue) = &channel.dead_letter_queue {
        drafts.push(draft(&DEAD_SIZE, Value::Largest(visible(queue))));
    }
    drafts
}

pub(super) fn visible(queue: &str) -> Series {
    Series::of(&DEPTH)
        .with("queue", queue)
        .with("state", "visible")
}

pub(super) fn oldest(queue: &str) -> Series {
    Series::of(&AGE).with("queue", queue)
}
