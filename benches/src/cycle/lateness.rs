//! How late jobs are dispatched that come evenly.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use polling_model::{Observation, Observer, SlotRing, SystemClock, Topic};
use scheduler_lib::{Limits, Scheduler, store::RedisStore};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::{Ports, adapters, run};
use crate::{figure::Figure, jobs};

/// What comes evenly.
#[derive(Debug, Clone)]
pub struct Even {
    /// Registered jobs.
    pub jobs: usize,
    /// How often each is due.
    pub interval: Duration,
    /// The slots that they are in.
    pub ring: SlotRing,
    /// How long it is looked at, from the first slot that begins.
    pub measured: Duration,
}

/// Takes down how late each chunk was drained.
#[derive(Debug, Default)]
struct Meter(Mutex<Vec<(i64, usize)>>);

impl Meter {
    fn drained(&self) -> MutexGuard<'_, Vec<(i64, usize)>> {
        // A chunk is put in as a whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lateness that so great a share of jobs did not exceed, seconds; and of how many jobs.
    fn share_s(&self, share: f64) -> (f64, usize) {
        let mut drained = std::mem::take(&mut *self.drained());
        drained.sort_unstable();
        let all: usize = drained.iter().map(|&(_, jobs)| jobs).sum();
        let mut left = (all as f64 * share) as usize;
        let at = drained.iter().find(|&&(_, jobs)| {
            let found = left < jobs;
            left = left.saturating_sub(jobs);
            found
        });
        (at.map_or(0.0, |&(late_ms, _)| late_ms as f64 / 1000.0), all)
    }
}

impl Observer for Meter {
    fn observe(&self, observation: Observation<'_>) {
        if let Observation::Drained {
            jobs, lateness_ms, ..
        } = observation
        {
            self.drained().push((lateness_ms, jobs));
        }
    }
}

/// Lets a scheduler and a worker run on the Redis at `url`, queues in memory. A slot is dispatched
/// evenly over its width, and lateness counts from there; that of a chunk is that of its latest job.
///
/// # Errors
///
/// The server's, and that fewer jobs were dispatched than were due.
pub async fn lateness(url: &str, even: &Even) -> anyhow::Result<Figure> {
    let topic = Topic::new("posts")?;
    let store = RedisStore::builder(url, jobs::channel())
        .ring(even.ring)
        .open(polling_model::Clock::now_ms(&SystemClock))
        .await?;
    let ports = Ports {
        store: Arc::new(store),
        ..adapters::in_process(&topic)
    };
    let meter = Arc::new(Meter::default());
    let limits = Limits {
        paced: true,
        dispatch_per_s: 20_000,
        ..Limits::default()
    };
    let channel = run::channel(&ports, even.interval, limits)?;
    let scheduler = Scheduler::builder()
        .channel(channel)
        .observer(meter.clone())
        .build();
    let registry = scheduler.registry(&jobs::channel());
    jobs::register(&registry.context("no channel")?, even.jobs).await?;
    let worker = run::worker(run::worker_config(256), &ports, None)?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(scheduler.run(run::until(stopped.clone())));
    tasks.spawn(async move {
        worker.run(run::until(stopped)).await;
    });
    // What became due while it was registered is late for that alone.
    let now_ms = polling_model::Clock::now_ms(&SystemClock);
    let next_ms = even.ring.start_ms(even.ring.current(now_ms).plus(1)) - now_ms;
    sleep(Duration::from_millis(next_ms.unsigned_abs())).await;
    meter.drained().clear();
    sleep(even.measured).await;
    let (p99_s, dispatched) = meter.share_s(0.99);
    stop.send(true).context("the cycle has ended by itself")?;
    while tasks.join_next().await.is_some() {}
    let due = even.jobs as f64 * even.measured.as_secs_f64() / even.interval.as_secs_f64();
    ensure!(
        dispatched as f64 > 0.9 * due,
        "{dispatched} of {due} jobs were dispatched"
    );
    Ok(Figure::new("lateness", p99_s, "s")
        .with("jobs", even.jobs)
        .with("interval_s", even.interval.as_secs())
        .with("dispatched", dispatched)
        .with("slot_ms", even.ring.width_ms()))
}
