//! The store in memory.

use std::{sync::Arc, time::Instant};

use polling_model::SlotRing;
use scheduler_lib::MemoryStore;

use super::{Phases, Plan};
use crate::{figure::Figure, process::resident_bytes};

/// Of what is drawn by chance.
const SEED: u64 = 7;

/// Measures the store: its speed, and what the process has for each job.
///
/// # Errors
///
/// That a step did not do what it is to.
pub async fn measure(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let before = resident_bytes()?;
    let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, plan.start_ms));
    let phases = Phases::new(plan.clone(), store, SEED);
    let jobs = plan.jobs as f64;
    phases.register().await?;
    let resident = resident_bytes()?.saturating_sub(before) as f64;
    let began = Instant::now();
    phases.drain(1).await?;
    phases.sent().await?;
    phases.settle(1).await?;
    let cycled_s = began.elapsed().as_secs_f64();
    Ok(vec![
        Figure::new("store/memory", jobs / cycled_s, "jobs/s")
            .with("jobs", plan.jobs)
            .with("tasks", plan.tasks)
            .with("bytes_per_job", resident / jobs),
    ])
}
