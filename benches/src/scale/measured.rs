//! What one machine did, taken from the figures of `docs/performance`.

use std::fmt::Write as _;

use anyhow::{Context as _, ensure};

use super::{Transport, assumed::SCHEDULER_SHARE};
use crate::{
    figure::Figure,
    report::{Figures, day, number},
};

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

    /// All of it, as a table in Markdown, with the days of the figures that it is from.
    #[must_use]
    pub fn table(&self, figures: &Figures) -> String {
        let mut text =
            String::from("| what a job costs | | from | measured (UTC) |\n|---|---:|---|---|\n");
        for (what, cost, unit, name) in [
            (
                "Redis: drained, struck off its note",
                self.drain_us,
                "µs",
                "store/redis",
            ),
            ("Redis: loaded", self.load_us, "µs", "store/redis"),
            ("Redis: settled", self.settle_us, "µs", "store/redis"),
            ("Redis: two messages", self.queue_us, "µs", "cycle/streams"),
            (
                "scheduler over SQS",
                self.scheduler_sqs_us,
                "µs",
                "cycle/servers",
            ),
            (
                "worker over SQS, with an event",
                self.worker_sqs_us,
                "µs",
                "cycle/servers",
            ),
            (
                "scheduler over Redis",
                self.scheduler_redis_us,
                "µs",
                "cycle/streams",
            ),
            (
                "worker over Redis",
                self.worker_redis_us,
                "µs",
                "cycle/streams",
            ),
            (
                "memory in Redis beside the context",
                self.job_bytes,
                "bytes",
                "memory/redis",
            ),
            (
                "requests to SQS",
                self.sqs_requests,
                "",
                "sqs/requests-per-job",
            ),
        ] {
            let measured = figures
                .get(name)
                .map_or_else(String::new, |figure| day(figure.at_ms));
            let cost = number((cost * 100.0).round() / 100.0);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {what} | {cost} {unit} | `{name}` | {measured} |");
        }
        text
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
