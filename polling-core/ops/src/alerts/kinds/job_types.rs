//! Of job types: their queue, their polls, their workers.

use polling_model::ChannelId;

use super::{
    Draft,
    channels::{oldest, visible},
};
use crate::{
    alerts::{
        JobTypeOfChannel,
        kind::{Kind, Unit},
        series::{Metric, Series},
        subject::Subject,
        value::Value,
    },
    metrics::POLL_BOUNDS,
};

static POLLS: Metric = Metric::new("polling_polls_total", &["job_type", "outcome"]);
static DURATION: Metric = Metric::new("polling_poll_duration_seconds", &["job_type"]);
static BUGS: Metric = Metric::new("polling_bugs_total", &["job_type", "kind"]);
static DROPPED: Metric = Metric::new("polling_dropped_late_total", &["job_type"]);
static DESIRED: Metric = Metric::new("polling_workers_desired", &["channel", "job_type"]);
static PRESENT: Metric = Metric::new("polling_workers_present", &["channel", "job_type"]);
static REASON: Metric = Metric::new(
    "polling_workers_reason",
    &["channel", "job_type", "cause", "limit"],
);

#[cfg(test)]
pub(super) const METRICS: &[&Metric] = &[
    &POLLS, &DURATION, &BUGS, &DROPPED, &DESIRED, &PRESENT, &REASON,
];

#[rustfmt::skip]
static QUEUE_SIZE: Kind = Kind::above("queue-size", "PollingQueueIsLong", Unit::Count,
    &[("warning", "10000"), ("critical", "100000"), ("for", "10m")],
    "{} messages wait in the queue");

#[rustfmt::skip]
static QUEUE_SPEED: Kind = Kind::above("queue-speed", "PollingQueueIsSlow", Unit::Seconds,
    &[("warning", "2m"), ("critical", "5m"), ("for", "5m"), ("window", "5m")],
    "at the present speed the queue is empty in {}");

#[rustfmt::skip]
static OLDEST: Kind = Kind::above("oldest-message", "PollingQueueIsOld", Unit::Seconds,
    &[("warning", "1m"), ("critical", "4m"), ("for", "2m")],
    "the oldest message has waited for {}");

#[rustfmt::skip]
static POLL_ERRORS: Kind = Kind::above("poll-errors", "PollingPollsFail", Unit::Share,
    &[("warning", "10%"), ("critical", "50%"), ("for", "5m"), ("window", "5m"), ("least", "20")],
    "{} of the polls failed within {window}");

#[rustfmt::skip]
static POLL_LATENCY: Kind = Kind::above("poll-latency", "PollingPollsAreSlow", Unit::Share,
    &[("warning", "5%"), ("critical", "25%"), ("for", "5m"), ("window", "5m"), ("least", "20"), ("within", "15s")],
    "{} of the polls took longer than {within}, within {window}").within(&POLL_BOUNDS);

#[rustfmt::skip]
static MISSING: Kind = Kind::above("absence", "PollingPollsAreMissing", Unit::Share,
    &[("warning", "20%"), ("critical", "1%"), ("for", "5m"), ("window", "15m"), ("before", "1d"), ("least", "100")],
    "there are {} of the polls that there were {before} before").below();

#[rustfmt::skip]
static BUG: Kind = Kind::above("bugs", "PollingPollsBreak", Unit::Count,
    &[("warning", "0"), ("critical", "100"), ("for", "0s"), ("window", "15m")],
    "{} polls panicked, hung, or could not publish within {window}");

#[rustfmt::skip]
static LATE: Kind = Kind::above("dropped-late", "PollingMessagesAreDropped", Unit::Count,
    &[("warning", "0"), ("critical", "1000"), ("for", "5m"), ("window", "15m")],
    "{} messages had waited too long to be polled, within {window}");

#[rustfmt::skip]
static LACKING: Kind = Kind::above("workers-lacking", "PollingWorkersAreLacking", Unit::Count,
    &[("warning", "0"), ("critical", "off"), ("for", "15m")],
    "there are {} workers fewer than should run");

#[rustfmt::skip]
static FEW: Kind = Kind::above("workers-few", "PollingWorkersAreFew", Unit::Count,
    &[("warning", "off"), ("critical", "1"), ("for", "5m")],
    "there are only {} workers").below();

#[rustfmt::skip]
static MANY: Kind = Kind::above("workers-many", "PollingWorkersAreMany", Unit::Count,
    &[("warning", "10"), ("critical", "off"), ("for", "15m")],
    "there are {} workers");

#[rustfmt::skip]
static AT_LIMIT: Kind = Kind::above("workers-at-limit", "PollingWorkersAreAtTheirLimit", Unit::Count,
    &[("warning", "0"), ("critical", "off"), ("for", "30m")],
    "more workers are needed than may run");

pub(super) fn drafts(channel: &ChannelId, job_type: &JobTypeOfChannel) -> Vec<Draft> {
    let subject = Subject::JobType(channel.clone(), job_type.id.clone());
    let draft = |kind, value| Draft::new(&subject, kind, value);
    let of = |metric| Series::of(metric).with("job_type", job_type.id.as_str());
    let polls = || of(&POLLS);
    let mut drafts = Vec::new();
    if let Some(queue) = &job_type.queue {
        let (waiting, done) = (visible(queue), polls());
        drafts.push(draft(&QUEUE_SIZE, Value::Largest(waiting.clone())));
        drafts.push(draft(&QUEUE_SPEED, Value::UntilEmpty { waiting, done }));
        drafts.push(draft(&OLDEST, Value::Largest(oldest(queue))));
    }
    let failed = polls().without("outcome", "ok");
    let errors = Value::Share {
        part: failed,
        whole: polls(),
    };
    drafts.extend([
        draft(&POLL_ERRORS, errors),
        draft(&POLL_LATENCY, Value::Beyond(of(&DURATION))),
        draft(&MISSING, Value::Activity(polls())),
        draft(&BUG, Value::Rise(of(&BUGS))),
        draft(&LATE, Value::Rise(of(&DROPPED))),
    ]);
    if let Some(bounds) = job_type.workers {
        let of = |metric| of(metric).with("channel", channel.as_str());
        let (wanted, there) = (of(&DESIRED), of(&PRESENT));
        let at_limit = of(&REASON).with("limit", "max");
        drafts.extend([
            draft(&FEW, Value::Largest(there.clone())).own("critical", bounds.min.to_string()),
            draft(&MANY, Value::Largest(there.clone())).own("warning", bounds.max.to_string()),
            draft(&LACKING, Value::Lack { wanted, there }),
            draft(&AT_LIMIT, Value::Largest(at_limit)),
        ]);
    }
    drafts
}
