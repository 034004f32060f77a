//! How objectives are kept: what was measured against one, and what missed it, exactly at its bound.

use std::collections::BTreeMap;

use polling_model::{ChannelId, ServiceLevel};
use prometheus_client::metrics::counter::Counter;

use super::{Gauge, Metrics, register::Register, series::Series};
use crate::objectives::{Measure, Objective};

/// Within which time.
pub static OBJECTIVE_BOUND: Gauge = Gauge {
    name: "polling_objective_seconds",
    help: "The bound of an objective: staleness of a level's events, or lateness of a channel's jobs",
    labels: &["channel", "level", "measure"],
};

/// How many.
pub static OBJECTIVE_SHARE: Gauge = Gauge {
    name: "polling_objective_ratio",
    help: "The share that an objective wants within its bound; what is left of 1 is its error budget",
    labels: &["channel", "level", "measure"],
};

impl Metrics {
    pub(super) fn tell_objectives(&self, objectives: &[Objective]) {
        let mut readings = Vec::with_capacity(objectives.len() * 2);
        for objective in objectives {
            let level = objective.measure.level();
            let level = level.map_or("", ServiceLevel::as_str);
            let labels = [
                objective.channel.as_str(),
                level,
                objective.measure.as_str(),
            ];
            readings.push(OBJECTIVE_BOUND.reading(&labels, objective.within.as_secs_f64()));
            readings.push(OBJECTIVE_SHARE.reading(&labels, objective.share));
        }
        self.ask("objectives", move || {
            std::future::ready(Some(readings.clone()))
        });
    }
}

/// Counts against objectives; what has none is not counted.
#[derive(Debug)]
pub(super) struct Kept {
    bounds: BTreeMap<ChannelId, Bounds>,
    events: Series<2, 0, Counter>,
    stale_events: Series<2, 0, Counter>,
    jobs: Series<1, 0, Counter>,
    late_jobs: Series<1, 0, Counter>,
}

#[derive(Debug, Default)]
struct Bounds {
    lateness_ms: Option<i64>,
    staleness_ms: BTreeMap<ServiceLevel, i64>,
}

impl Kept {
    /// Each series begins with 0, so that the first miss shows as a step.
    #[rustfmt::skip]
    pub(super) fn new(r: &mut Register<'_>, objectives: &[Objective]) -> Self {
        let mut kept = Self {
            bounds: BTreeMap::new(),
            events: r.counter("polling_staleness_objective_events", "Events that were published where there is an objective of staleness", ["channel", "level"], []),
            stale_events: r.counter("polling_staleness_missed_events", "Of those, events that were older than their objective when they were published", ["channel", "level"], []),
            jobs: r.counter("polling_lateness_objective_jobs", "Jobs that were drained where there is an objective of lateness", ["channel"], []),
            late_jobs: r.counter("polling_lateness_missed_jobs", "Of those, jobs drained in a chunk of which one was later than the objective", ["channel"], []),
        };
        for Objective { channel, measure, within, .. } in objectives {
            let within_ms = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
            let bounds = kept.bounds.entry(channel.clone()).or_default();
            match measure {
                Measure::Staleness { level } => {
                    bounds.staleness_ms.insert(level.clone(), within_ms);
                    kept.count_events(channel, level, 0, 0);
                }
                Measure::Lateness => {
                    bounds.lateness_ms = Some(within_ms);
                    kept.count_jobs(channel, 0, 0);
                }
            }
        }
        kept
    }

    /// Events of these ages, oldest first, and so many that are older than all of them.
    pub(super) fn published(
        &self,
        channel: &ChannelId,
        level: &ServiceLevel,
        ages_ms: impl Iterator<Item = i64> + Clone,
        older: u64,
    ) {
        let bounds = self.bounds.get(channel);
        let Some(within_ms) = bounds.and_then(|bounds| bounds.staleness_ms.get(level)) else {
            return;
        };
        let oldest_is_stale = ages_ms
            .clone()
            .next()
            .is_some_and(|age_ms| age_ms > *within_ms);
        let (told, mut stale) = (
            ages_ms.clone().count(),
            ages_ms.filter(|age_ms| age_ms > within_ms).count(),
        );
        let older = usize::try_from(older).unwrap_or(usize::MAX);
        if oldest_is_stale {
            stale += older;
        }
        self.count_events(channel, level, told + older, stale);
    }

    pub(super) fn drained(&self, channel: &ChannelId, jobs: usize, lateness_ms: i64) {
        let bounds = self.bounds.get(channel);
        if let Some(within_ms) = bounds.and_then(|bounds| bounds.lateness_ms) {
            let late = if lateness_ms > within_ms { jobs } else { 0 };
            self.count_jobs(channel, jobs, late);
        }
    }

    fn count_events(&self, channel: &ChannelId, level: &ServiceLevel, events: usize, stale: usize) {
        let names = [channel.as_str(), level.as_str()];
        self.events.add(names, [], events);
        self.stale_events.add(names, [], stale);
    }

    fn count_jobs(&self, channel: &ChannelId, jobs: usize, late: usize) {
        self.jobs.add([channel.as_str()], [], jobs);
        self.late_jobs.add([channel.as_str()], [], late);
    }
}
