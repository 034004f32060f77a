//! All jobs due in one slot: no script may hold the server up.

use std::time::Duration;

use super::{
    Phases, Plan,
    redis::{SEED, open},
};
use crate::{figure::Figure, jobs, redis_server::RedisServer};

/// The longest script while `jobs` jobs of one slot are drained, and settled into one slot.
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
    server.time_scripts().await?;
    phases.drain(1).await?;
    phases.sent().await?;
    phases.load().await?;
    phases.settle(1).await?;
    let [median, p99, longest] = server.script_times_ms().await?;
    server.empty().await?;
    Ok(vec![
        Figure::new("giant-slot", longest, "ms")
            .with("jobs", jobs)
            .with("p50_ms", median)
            .with("p99_ms", p99),
    ])
}
