//! What one machine did, taken from the figures of `docs/performance`.

use anyhow::{Context as _, ensure};

use super::{Transport, assumed::SCHEDULER_SHARE};
use crate::{figure::Figure, report::Figures};

/// What a job costs, in microseconds of whoever works on it, and in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Redis: drained, and struck off its note.
    pub drain_us: f64,
    /// Redis: looked at, to decide.
    pub load_us: f64,
    /// Redis: settled.
    pub settle_us: f64,
    /// Redis: two messages through a queue.
    pub queue_us: f64,
    /// Scheduler's CPU, with SQS.
    pub scheduler_sqs_us: f64,
    /// Scheduler's CPU, with queues on Redis.
    pub scheduler_redis_us: f64,
    /// Worker's CPU, with SQS and an event for each job.
    pub worker_sqs_us: f64,
    /// Worker's CPU, with queues on Redis and no events.
    pub worker_redis_us: f64,
    /// Bytes in Redis beside the context.
    pub job_bytes: f64,
    /// Requests to SQS, full load.
    pub sqs_requests: f64,
}

impl Measured {
    /// Takes them from `figures`.
    ///
    /// # Errors
    ///
    /// Which figures are missing and how they are measured, or that they contradict each other.
    pub fn from_figures(figures: &Figures) -> anyhow::Result<Self> {
        let store = figure(figures, "store/redis", "redis")?;
        let drain_us = 1e6 / detail(store, "drain_per_s")?;
        let load_us = 1e6 / detail(store, "load_per_s")?;
        let settle_us = 1e6 / detail(store, "settle_per_s")?;
        let streams = figure(figures, "cycle/streams", "streams")?;
        let servers = figure(figures, "cycle/servers", "servers")?;
        let queue_us = 1e6 / streams.value - drain_us - load_us - settle_us;
        ensure!(
            queue_us > 0.0,
            "`cycle/streams` is faster than `store/redis`, which is a part of it: measure both in one run, \
             dev/bench redis streams"
        );
        let over_sqs_us = detail(servers, "cpu_us_per_job")?;
        let over_redis_us = detail(streams, "cpu_us_per_job")?;
        Ok(Self {
            drain_us,
            load_us,
            settle_us,
            queue_us,
            scheduler_sqs_us: over_sqs_us * SCHEDULER_SHARE,
            scheduler_redis_us: over_redis_us * SCHEDULER_SHARE,
            worker_sqs_us: over_sqs_us * (1.0 - SCHEDULER_SHARE),
            worker_redis_us: over_redis_us * (1.0 - SCHEDULER_SHARE),
            job_bytes: figure(figures, "memory/redis", "redis")?.value,
            sqs_requests: figure(figures, "sqs/requests-per-job", "servers")?.value,
        })
    }

    /// A job's time in the slots' Redis.
    #[must_use]
    pub fn store_us(&self) -> f64 {
        self.drain_us + self.load_us + self.settle_us
    }

    /// A job's time of the scheduler.
    #[must_use]
    pub const fn scheduler_us(&self, transport: Transport) -> f64 {
        match transport {
            Transport::Sqs => self.scheduler_sqs_us,
            Transport::Redis => self.scheduler_redis_us,
        }
    }

    /// A job's time of the worker.
    #[must_use]
    pub const fn worker_us(&self, transport: Transport) -> f64 {
        match transport {
            Transport::Sqs => self.worker_sqs_us,
            Transport::Redis => self.worker_redis_us,
        }
    }
}

fn figure<'a>(figures: &'a Figures, name: &str, part: &str) -> anyhow::Result<&'a Figure> {
    let figure = figures.get(name).filter(|figure| figure.value > 0.0);
    figure.with_context(|| format!("`{name}` was not measured: dev/bench {part}"))
}

fn detail(figure: &Figure, name: &str) -> anyhow::Result<f64> {
    let value = figure.details.get(name).and_then(serde_json::Value::as_f64);
    let value = value.filter(|value| *value > 0.0);
    value.with_context(|| format!("`{}` has no {name}: measure it again", figure.name))
}
