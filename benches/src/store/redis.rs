//! The store on Redis: how fast it is, how large, and how fast its commands could be at most.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use polling_model::{ChannelId, Generator, SlotRing};
use scheduler_lib::{SharedStore, store::RedisStore};

use super::{Phases, Plan, ceiling};
use crate::{
    figure::Figure,
    jobs::{self, CONTEXT_SIZE_BYTES},
    redis_server::RedisServer,
    rounds::{self, Round},
};

/// Of what is drawn by chance: every run draws the same.
pub(super) const SEED: u64 = 7;

/// Seconds that each step took.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Times {
    pub(super) register_s: f64,
    /// Drained, and struck off the notes.
    pub(super) drain_s: f64,
    /// What a scheduler decides on; none of the ceiling's.
    pub(super) load_s: f64,
    pub(super) settle_s: f64,
}

impl Times {
    /// Jobs drained and settled a second.
    fn cycles_per_s(self, jobs: f64) -> f64 {
        jobs / (self.drain_s + self.settle_s)
    }
}

/// What is in Redis for one job, bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Memory {
    registered: f64,
    in_flight: f64,
    settled: f64,
}

/// Measures the store, and the commands that it sent without it, in turns: so many rounds.
///
/// # Errors
///
/// The server's, and that a step did not do what it is to.
pub async fn measure(url: &str, plan: &Plan, rounds: usize) -> anyhow::Result<Vec<Figure>> {
    let mut server = RedisServer::connect(url).await?;
    let (mut shares, mut others) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (times, memory) = ours(&mut server, plan).await?;
        server.empty().await?;
        let raw = ceiling::measure(&mut server, plan).await?;
        server.empty().await?;
        let load_per_s = plan.jobs as f64 / times.load_s;
        shares.push(Round {
            ours: rates("store/redis", plan, times).with("load_per_s", load_per_s),
            ceiling: rates("ceiling/redis", plan, raw),
        });
        others = vec![
            memory.figure(plan),
            Figure::new("registration", times.register_s, "s").with("jobs", plan.jobs),
        ];
    }
    let [client, benchmark] = ceiling::beside_benchmark(&server, plan.start_ms).await?;
    server.empty().await?;
    let Round { ours, ceiling } = rounds::middle(shares).context("no round")?;
    let mut figures = vec![ours, ceiling];
    figures.append(&mut others);
    figures.push(Figure::new("ceiling/redis-command", client, "commands/s"));
    figures.push(Figure::new("tool/redis-benchmark", benchmark, "commands/s"));
    Ok(figures)
}

pub(super) async fn open(
    url: &str,
    plan: &Plan,
    channel: ChannelId,
) -> anyhow::Result<SharedStore> {
    let store = RedisStore::builder(url, channel)
        .ring(SlotRing::MINUTES)
        .max_skew(None)
        .generator(Generator::from_seed(SEED))
        // While commands are taken down nothing answers.
        .timeouts(Duration::from_secs(2), Duration::from_secs(600))
        .open(plan.start_ms)
        .await;
    Ok(Arc::new(store.context("cannot open the store")?))
}

async fn ours(server: &mut RedisServer, plan: &Plan) -> anyhow::Result<(Times, Memory)> {
    let (mut times, mut memory) = (Times::default(), Memory::default());
    let store = open(server.url(), plan, jobs::channel()).await?;
    let phases = Phases::new(plan.clone(), store, SEED);
    let before = server.used_memory().await?;
    let jobs = plan.jobs as f64;
    let began = Instant::now();
    phases.register().await?;
    times.register_s = began.elapsed().as_secs_f64();
    memory.registered = (server.used_memory().await? - before) / jobs;
    let began = Instant::now();
    phases.drain(1).await?;
    phases.sent().await?;
    times.drain_s = began.elapsed().as_secs_f64();
    memory.in_flight = (server.used_memory().await? - before) / jobs;
    let began = Instant::now();
    phases.load().await?;
    times.load_s = began.elapsed().as_secs_f64();
    let began = Instant::now();
    phases.settle(1).await?;
    times.settle_s = began.elapsed().as_secs_f64();
    memory.settled = (server.used_memory().await? - before) / jobs;
    Ok((times, memory))
}

fn rates(name: &str, plan: &Plan, times: Times) -> Figure {
    let jobs = plan.jobs as f64;
    Figure::new(name, times.cycles_per_s(jobs), "jobs/s")
        .with("jobs", plan.jobs)
        .with("tasks", plan.tasks)
        .with("drain_per_s", jobs / times.drain_s)
        .with("settle_per_s", jobs / times.settle_s)
        .with("register_per_s", jobs / times.register_s)
}

impl Memory {
    /// Between two polls, as nearly all jobs are nearly always.
    fn figure(self, plan: &Plan) -> Figure {
        let over_context = self.settled - CONTEXT_SIZE_BYTES as f64;
        Figure::new("memory/redis", over_context, "bytes")
            .with("jobs", plan.jobs)
            .with("context_bytes", CONTEXT_SIZE_BYTES)
            .with("registered_bytes", self.registered)
            .with("in_flight_bytes", self.in_flight)
            .with("settled_bytes", self.settled)
    }
}
