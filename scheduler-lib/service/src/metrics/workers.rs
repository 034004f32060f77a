//! What is decided on workers, for whoever scales by Prometheus and for dashboards.

use polling_model::{ChannelId, SharedClock};
use polling_ops::metrics::{Gauge, Metrics, Reading};

use crate::scaling::Decisions;

/// The decision.
pub static WORKERS_DESIRED: Gauge = Gauge {
    name: "polling_workers_desired",
    help: "Workers that should run, those that start included; absent while nothing was decided of late",
    labels: &["channel", "job_type"],
};

/// What there is of it.
pub static WORKERS_PRESENT: Gauge = Gauge {
    name: "polling_workers_present",
    help: "Workers taken to be ready: those that were asked for a start-up ago",
    labels: &["channel", "job_type"],
};

/// Why.
pub static WORKERS_REASON: Gauge = Gauge {
    name: "polling_workers_reason",
    help: "1 for the reason: for which jobs so many, and what keeps the number from being the needed one",
    labels: &["channel", "job_type", "cause", "limit"],
};

/// Shows the last decisions on these channels.
pub fn watch_workers(
    metrics: &Metrics,
    decisions: &Decisions,
    channels: impl IntoIterator<Item = ChannelId>,
    clock: &SharedClock,
) {
    let (decisions, clock) = (decisions.clone(), SharedClock::clone(clock));
    let channels: Vec<ChannelId> = channels.into_iter().collect();
    metrics.ask("workers", move || {
        let of = |id| readings(&decisions, id, clock.now_ms());
        std::future::ready(Some(channels.iter().flat_map(of).collect()))
    });
}

fn readings(decisions: &Decisions, channel: &ChannelId, now_ms: i64) -> Vec<Reading> {
    let decided = decisions.of(channel).into_iter();
    let fresh = decided.filter(|(_, decided)| !decisions.is_stale(decided, now_ms));
    let told = fresh.flat_map(|(job_type, decided)| {
        let (of, decision) = ([channel.as_str(), job_type.as_str()], decided.decision);
        let reason = [of[0], of[1], decision.cause, decision.limit];
        [
            WORKERS_DESIRED.reading(&of, f64::from(decision.workers)),
            WORKERS_PRESENT.reading(&of, f64::from(decision.ready)),
            WORKERS_REASON.reading(&reason, 1.0),
        ]
    });
    told.collect()
}
