//! A scheduler and a worker stand still for longer than every lease, and go on with what they had.

use std::time::Duration;

use async_trait::async_trait;

use super::{Allow, Scenario};
use crate::{runner::Run, stage::bounds};

/// See the module.
pub(super) struct PauseLongerThanLease;

/// Longer than a job is in flight and the reaper waits.
const LONG: Duration = Duration::from_secs(46);

/// Longer than a message stays invisible.
const SHORT: Duration = Duration::from_secs(8);

#[async_trait]
impl Scenario for PauseLongerThanLease {
    fn name(&self) -> &'static str {
        "pause-longer-than-lease"
    }

    fn about(&self) -> &'static str {
        "SIGSTOP of a scheduler and a worker beyond visibility timeout and lease, then SIGCONT"
    }

    fn allow(&self) -> Allow {
        Allow {
            // What a stopped worker had is polled by another, and by itself when it goes on.
            polls_per_dispatch: 1.5,
            recovery: Some(bounds::VISIBILITY * 3),
            // A scheduler that goes on carries out the calls that it had taken before, though their
            // clients have repeated them elsewhere since, and gone on to the next.
            registrations_undone: true,
            ..Allow::default()
        }
    }

    fn length(&self) -> Duration {
        LONG + SHORT * 4
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        pause(run, 0, LONG).await?;
        while !run.left().is_zero() {
            pause(run, 1, SHORT).await?;
            run.calm_between(2_000, 4_000).await;
            pause(run, 0, SHORT).await?;
            run.calm_between(2_000, 4_000).await;
        }
        Ok(())
    }
}

async fn pause(run: &mut Run, at: usize, duration: Duration) -> anyhow::Result<()> {
    let scheduler = run.faults.begin("SIGSTOP scheduler");
    let worker = run.faults.begin("SIGSTOP worker");
    run.stage.schedulers[at].process.pause()?;
    run.stage.workers[at].pause()?;
    run.calm(duration).await;
    run.stage.schedulers[at].process.go_on()?;
    run.stage.workers[at].go_on()?;
    drop((scheduler, worker));
    Ok(())
}
