//! All jobs due in one slot: no script may hold the server up.

use std::time::Duration;

use anyhow::Context as _;

use super::{
    Phases, Plan,
    redis::{SEED, open},
};
use crate::{figure::Figure, jobs, redis_server::RedisServer};

/// What takes a core from the server for a moment makes a script long in one of so many rounds, and
/// hardly in all of them.
const ROUNDS: i64 = 3;

/// The longest script while `jobs` jobs of one slot are drained, and settled into one slot: in the
/// round of which it was the shortest.
///
/// # Errors
///
/// The server's, and that a step did not do what it is to.
pub async fn measure(url: &str, jobs: usize, start_ms: i64) -> anyhow::Result<Vec<Figure>> {
    let mut server = RedisServer::connect(url).await?;
    let plan = Plan {
        // Shorter than a slot: all are due in the same.
        interval: Duration::from_secs(1),
        ..Plan::all(jobs, 1, start_ms)
    };
    let store = open(url, &plan, jobs::channel()).await?;
    let phases = Phases::new(plan, store, SEED);
    phases.register().await?;
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        server.time_scripts().await?;
        phases.drain(round).await?;
        phases.sent().await?;
        phases.load().await?;
        phases.settle(round).await?;
        rounds.push(server.script_times_ms().await?);
    }
    server.empty().await?;
    let longest_of: Vec<f64> = rounds.iter().map(|[.., longest]| *longest).collect();
    rounds.sort_unstable_by(|[.., one], [.., other]| one.total_cmp(other));
    let &[median, p99, longest] = rounds.first().context("no round")?;
    Ok(vec![
        Figure::new("giant-slot", longest, "ms")
            .with("jobs", jobs)
            .with("p50_ms", median)
            .with("p99_ms", p99)
            .with("longest_of_rounds_ms", longest_of),
    ])
}
