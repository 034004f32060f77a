//! What the service measures beside what its loops report: gauges that are asked for at each scrape. And where
//! metrics go beside `/metrics`.

use std::{sync::Arc, time::Duration};

use polling_model::{ChannelId, SharedClock, SlotRing};
use polling_ops::{
    graphite::{Graphite, PrefixError},
    metrics::{Gauge, Metrics, Reading},
};
use scheduler_lib::{Monitor, Registry, Scheduler, store::Counts};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

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
pub static GAUGES: [&Gauge; 5] = [&JOBS, &OPEN_NOTES, &BACKLOG, &DUE_JOBS, &TICK_AGE];

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
        metrics.ask("store", move || store.clone().ask());
    }
    let (monitor, clock) = (scheduler.monitor(), Arc::clone(clock));
    metrics.ask("loops", move || {
        std::future::ready(Some(tick_ages(&monitor, clock.now_ms())))
    });
}

/// Pushes metrics to Graphite until `stop`, if the configuration names one; then it ends within 3 s.
///
/// # Errors
///
/// When the prefix has a variable that nobody knows.
pub fn push(
    metrics: &Metrics,
    config: &Config,
    clock: &SharedClock,
    stop: &CancellationToken,
) -> Result<Option<JoinHandle<()>>, PrefixError> {
    let Some(config) = config.graphite.pushes() else {
        return Ok(None);
    };
    let graphite = Graphite::new(metrics.clone(), config, Arc::clone(clock))?;
    let pushing = graphite.run(stop.clone().cancelled_owned());
    Ok(Some(tokio::spawn(pushing)))
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
        let mut readings = self.counted(&self.registry.counts().await.ok()?);
        for slots in AHEAD_SLOTS {
            let due = self.registry.due_within(slots).await.ok()?;
            for (job_type, jobs) in due {
                let labels = [self.id.as_str(), job_type.as_str(), &slots.to_string()];
                readings.push(DUE_JOBS.reading(&labels, jobs as f64));
            }
        }
        Some(readings)
    }

    fn counted(&self, counts: &Counts) -> Vec<Reading> {
        let channel = self.id.as_str();
        let places = [
            ("slot", counts.slots),
            ("in_flight", counts.in_flight),
            ("later", counts.later),
            ("held", counts.held),
        ];
        let due = self.ring.current(self.clock.now_ms()).0;
        let mut readings: Vec<_> = places
            .into_iter()
            .map(|(place, jobs)| JOBS.reading(&[channel, place], jobs as f64))
            .collect();
        readings.push(OPEN_NOTES.reading(&[channel], counts.open_notes as f64));
        readings.push(BACKLOG.reading(&[channel], (due - counts.cursor).max(0) as f64));
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
