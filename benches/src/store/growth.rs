//! What a cycle costs, by how many jobs are registered.

use std::time::Instant;

use anyhow::Context as _;

use super::{
    Phases, Plan,
    redis::{SEED, open},
};
use crate::{figure::Figure, jobs, redis_server::RedisServer};

/// Jobs that are drained and settled, of however many.
const CYCLED: usize = 60_000;

/// The cost of a cycle at each size, and the last over the first.
///
/// # Errors
///
/// The server's, and that a step did not do what it is to.
pub async fn measure(
    url: &str,
    sizes: &[usize],
    tasks: usize,
    start_ms: i64,
) -> anyhow::Result<Vec<Figure>> {
    let mut server = RedisServer::connect(url).await?;
    let mut figures = Vec::new();
    for &size in sizes {
        let plan = Plan {
            cycled: CYCLED.min(size),
            ..Plan::all(size, tasks, start_ms)
        };
        figures.push(one(&mut server, plan).await?);
        server.empty().await?;
    }
    let (first, last) = figures.first().zip(figures.last()).context("no sizes")?;
    let growth = Figure::new("growth", last.value / first.value, "×");
    let growth = growth.with("jobs", sizes);
    figures.push(growth);
    Ok(figures)
}

async fn one(server: &mut RedisServer, plan: Plan) -> anyhow::Result<Figure> {
    let store = open(server.url(), &plan, jobs::channel()).await?;
    let (size, cycled) = (plan.jobs, plan.cycled as f64);
    let phases = Phases::new(plan, store, SEED);
    let before = server.used_memory().await?;
    phases.register().await?;
    let memory = server.used_memory().await? - before;
    // Redis moves the entries of a hash that has grown over one by one, as it is used: what registering began ends here.
    phases.read_all().await?;
    let (began, cpu_before_s) = (Instant::now(), server.cpu_s().await?);
    phases.drain(1).await?;
    phases.sent().await?;
    phases.complete(1).await?;
    let took_us = began.elapsed().as_secs_f64() * 1e6;
    let cpu_us = (server.cpu_s().await? - cpu_before_s) * 1e6;
    let name = format!("growth/{size}");
    Ok(Figure::new(name, took_us / cycled, "µs/job")
        .with("jobs", size)
        .with("server_cpu_us", cpu_us / cycled)
        .with("bytes_per_job", memory / size as f64))
}
