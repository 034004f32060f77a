//! What the service measures beside what its loops report: gauges that are asked for at each scrape. And where
//! metrics go beside `/metrics`.

mod scopes;
mod workers;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use polling_model::{ChannelId, SharedClock, SlotRing};
use polling_ops::{
    graphite::Graphite,
    metrics::{Gauge, Metrics, Reading},
    otlp::Otlp,
};
use scheduler_lib::{Monitor, Registry, Scheduler, store::Counts};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::{
    scopes::{SCOPE_LIMIT, SCOPE_REMAINING},
    workers::{WORKERS_DESIRED, WORKERS_PRESENT, WORKERS_REASON, watch_workers},
};
use crate::config::Config;

/// Jobs by where they are.
pub static JOBS: Gauge = Gauge {
    name: "polling_jobs",
    help: "Registered jobs by place: slot, in_flight, later, held",
    labels: &["channel", "place"],
};

/// Chunks that may have to be sent again.
pub static OPEN_NOTES: Gauge = Gauge {
    name: "polling_open_notes",
    help: "Chunks of drained jobs whose sending is not known to have ended",
    labels: &["channel"],
};

/// The catch-up backlog.
pub static BACKLOG: Gauge = Gauge {
    name: "polling_backlog_slots",
    help: "Slots between the one being drained and the one that is due: what is to be caught up",
    labels: &["channel"],
};

/// What the backlog holds.
pub static OVERDUE: Gauge = Gauge {
    name: "polling_overdue_jobs",
    help: "Jobs in slots whose time is over: they should have been sent by now",
    labels: &["channel"],
};

/// Who has more than polls fetch.
pub static BURSTING: Gauge = Gauge {
    name: "polling_bursting_accounts",
    help: "Accounts of which a poll of the last hour found more than it could fetch, by the last 1000 such polls",
    labels: &["channel"],
};

/// The look-ahead of the slots.
pub static DUE_JOBS: Gauge = Gauge {
    name: "polling_due_jobs",
    help: "Jobs that are drained within so many slots; an estimate where there are many",
    labels: &["channel", "job_type", "slots"],
};

/// Whether the loops run.
pub static TICK_AGE: Gauge = Gauge {
    name: "polling_tick_age_seconds",
    help: "Time since this process last looked at the slots; absent before the first look",
    labels: &["channel"],
};

/// All of these.
pub static GAUGES: [&Gauge; 12] = [
    &JOBS,
    &OPEN_NOTES,
    &BACKLOG,
    &OVERDUE,
    &BURSTING,
    &DUE_JOBS,
    &TICK_AGE,
    &SCOPE_LIMIT,
    &SCOPE_REMAINING,
    &WORKERS_DESIRED,
    &WORKERS_PRESENT,
    &WORKERS_REASON,
];

/// How long ago a burst counts.
const BURSTS_WITHIN: Duration = Duration::from_secs(3600);

/// How many bursts a scrape looks at.
const MAX_BURSTS: usize = 1_000;

/// How far ahead the slots are looked at.
const AHEAD_SLOTS: [usize; 3] = [1, 5, 15];

/// Asks the stores and the loops of `scheduler` whenever somebody looks at `metrics`.
pub fn watch(metrics: &Metrics, scheduler: &Scheduler, config: &Config, clock: &SharedClock) {
    for id in scheduler.channels() {
        let (Some(registry), Some(channel)) = (scheduler.registry(id), config.channels.get(id))
        else {
            continue;
        };
        let store = Store {
            id: id.clone(),
            registry,
            ring: channel.ring,
            clock: Arc::clone(clock),
        };
        let limits = store.registry.clone();
        metrics.ask("store", move || store.clone().ask());
        metrics.ask("limits", move || {
            let registry = limits.clone();
            async move { scopes::ask(&registry).await }
        });
    }
    let (monitor, clock) = (scheduler.monitor(), Arc::clone(clock));
    metrics.ask("loops", move || {
        std::future::ready(Some(tick_ages(&monitor, clock.now_ms())))
    });
}

/// Pushes metrics to whom the configuration names, Graphite and a collector of OpenTelemetry's, until `stop`; then each ends
/// within 3 s.
///
/// # Errors
///
/// When the prefix has a variable that nobody knows, or the collector's address is none.
pub fn push(
    metrics: &Metrics,
    config: &Config,
    clock: &SharedClock,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let mut pushing = Vec::new();
    let stopped = || stop.clone().cancelled_owned();
    if let Some(config) = config.graphite.pushes() {
        let graphite = Graphite::new(metrics.clone(), config, Arc::clone(clock))?;
        pushing.push(tokio::spawn(graphite.run(stopped())));
    }
    if let Some(config) = config.otlp.exports_metrics() {
        let otlp = Otlp::new(metrics.clone(), config, Arc::clone(clock))?;
        pushing.push(tokio::spawn(otlp.run(stopped())));
    }
    Ok(pushing)
}

#[derive(Debug, Clone)]
struct Store {
    id: ChannelId,
    registry: Registry,
    ring: SlotRing,
    clock: SharedClock,
}

impl Store {
    async fn ask(self) -> Option<Vec<Reading>> {
        let counts = self.registry.counts().await.ok()?;
        let mut readings = self.counted(&counts);
        let overdue = match usize::try_from(self.backlog(&counts)) {
            Ok(slots @ 1..) => self.registry.due_within(slots - 1).await.ok()?,
            _ => BTreeMap::new(),
        };
        let overdue: u64 = overdue.into_values().sum();
        readings.push(OVERDUE.reading(&[self.id.as_str()], overdue as f64));
        let since_ms = self.clock.now_ms() - BURSTS_WITHIN.as_millis() as i64;
        let bursting = self.registry.accounts_that_burst(since_ms, MAX_BURSTS);
        readings.push(BURSTING.reading(&[self.id.as_str()], bursting.await.ok()? as f64));
        for slots in AHEAD_SLOTS {
            let due = self.registry.due_within(slots).await.ok()?;
            for (job_type, jobs) in due {
                let labels = [self.id.as_str(), job_type.as_str(), &slots.to_string()];
                readings.push(DUE_JOBS.reading(&labels, jobs as f64));
            }
        }
        Some(readings)
    }

    /// Slots whose time is over.
    fn backlog(&self, counts: &Counts) -> i64 {
        let due = self.ring.current(self.clock.now_ms()).0;
        (due - counts.cursor).max(0)
    }

    fn counted(&self, counts: &Counts) -> Vec<Reading> {
        let channel = self.id.as_str();
        let places = [
            ("slot", counts.slots),
            ("in_flight", counts.in_flight),
            ("later", counts.later),
            ("held", counts.held),
        ];
        let mut readings: Vec<_> = places
            .into_iter()
            .map(|(place, jobs)| JOBS.reading(&[channel, place], jobs as f64))
            .collect();
        readings.push(OPEN_NOTES.reading(&[channel], counts.open_notes as f64));
        readings.push(BACKLOG.reading(&[channel], self.backlog(counts) as f64));
        readings
    }
}

fn tick_ages(monitor: &Monitor, now_ms: i64) -> Vec<Reading> {
    let looked = monitor.status().into_iter();
    let looked = looked.filter(|(_, status)| status.last_tick_ms > 0);
    let age = |(id, status): (ChannelId, scheduler_lib::ChannelStatus)| {
        let age_ms = u64::try_from(now_ms - status.last_tick_ms).unwrap_or(0);
        let age_s = Duration::from_millis(age_ms).as_secs_f64();
        TICK_AGE.reading(&[id.as_str()], age_s)
    };
    looked.map(age).collect()
}
