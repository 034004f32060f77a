//! A deployment: one process after the other is told to end, and started again.

use std::time::Duration;

use anyhow::ensure;
use async_trait::async_trait;

use super::{Allow, Scenario};
use crate::runner::Run;

/// Between two restarts.
const EVERY: Duration = Duration::from_secs(5);

/// How long a process may take to end when told to.
pub(super) const GRACE: Duration = Duration::from_secs(20);

/// See the module.
pub(super) struct RollingRestart;

#[async_trait]
impl Scenario for RollingRestart {
    fn name(&self) -> &'static str {
        "rolling-restart"
    }

    fn about(&self) -> &'static str {
        "SIGTERM to one process every 5 s: exit code 0, nothing lost, no gap longer than without"
    }

    fn allow(&self) -> Allow {
        Allow {
            // A restart is no fault: every gap is measured.
            recovery: Some(Duration::ZERO),
            ..Allow::default()
        }
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        let mut restarts = 0;
        while !run.left().is_zero() {
            restart(run, restarts).await?;
            restarts += 1;
            run.faults.set_count("SIGTERM", restarts as u64);
            run.calm(EVERY.min(run.left())).await;
        }
        Ok(())
    }
}

/// Restarts one process, workers and schedulers in turn.
async fn restart(run: &mut Run, turn: usize) -> anyhow::Result<()> {
    let workers = run.stage.workers.len();
    let at = turn % (workers + run.stage.schedulers.len());
    let process = match at.checked_sub(workers) {
        None => &mut run.stage.workers[at],
        Some(at) => &mut run.stage.schedulers[at].process,
    };
    let ended = process.terminate(GRACE).await?;
    ensure!(
        ended,
        "{} does not end with exit code 0 within {GRACE:?}",
        process.name()
    );
    process.start_again(&[])?;
    run.stage.ready().await
}
