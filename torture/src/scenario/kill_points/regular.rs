//! The regular work, and clients that ask for every edit.

use std::time::Duration;

use futures_util::future::try_join_all;
use polling_model::KillPoint as P;

use super::{Kills, lane};
use crate::{report::Report, runner::Run, scenario::Allow, stage::Setting};

/// Schedulers that die; one more lives.
const SCHEDULERS: [&[P]; 5] = [
    &[
        P::SchedulerDrained,
        P::SchedulerAllotted,
        P::SchedulerTypeSent,
        P::SchedulerSent,
        P::SchedulerStruckOff,
    ],
    &[
        P::SchedulerCompletionsReceived,
        P::SchedulerSettled,
        P::SchedulerAcked,
        P::QueueBatchDeleted,
    ],
    &[P::QueueBatchSent, P::SchedulerSwept],
    &[
        P::RegistryRegistered,
        P::RegistryRemoved,
        P::RegistryUpdated,
        P::RegistryRunNow,
    ],
    &[
        P::RegistryContextReplaced,
        P::RegistryPaused,
        P::RegistryResumed,
    ],
];

/// Workers that die; one more lives.
const WORKERS: [&[P]; 3] = [
    &[P::WorkerReceived, P::WorkerPolled, P::WorkerEventsTaken],
    &[P::WorkerPublished, P::WorkerCompleted, P::WorkerAcked],
    &[P::WorkerExtended, P::WorkerGivenBack],
];

/// All of them.
#[cfg(test)]
pub(super) fn points() -> impl Iterator<Item = P> {
    SCHEDULERS.into_iter().chain(WORKERS).flatten().copied()
}

pub(super) fn setting() -> Setting {
    Setting {
        schedulers: SCHEDULERS.len() + 1,
        workers: WORKERS.len() + 1,
        churn: 60,
        client_pause: Duration::from_millis(100),
        // A third of the visibility timeout, and more: each poll has its message renewed.
        channel_latency: Duration::from_millis(2_000),
        // Most receives are by a worker that dies: what is healthy becomes a dead letter.
        config: vec![("job_types.posts.max_strikes", "1000000".to_owned())],
        worker_args: vec!["--shutdown-grace-s=1".to_owned()],
        ..Setting::default()
    }
}

pub(super) async fn play(run: &mut Run, kills: u32) -> anyhow::Result<(Kills, Report)> {
    run.phase("kill points");
    let faults = run.faults.clone();
    let processes = run.stage.schedulers.iter_mut().map(|one| &mut one.process);
    let schedulers = processes.zip(SCHEDULERS);
    let workers = run.stage.workers.iter_mut().zip(WORKERS);
    let lanes = schedulers
        .chain(workers)
        .map(|(process, points)| lane::play(process, points, kills, &faults));
    let killed = try_join_all(lanes).await?;
    let report = run.finish(&allow()).await?;
    Ok((killed.into_iter().flatten().collect(), report))
}

/// What is promised at every kill: nothing lost, nothing forked, events exact. Gaps between polls
/// are measured nowhere: half of the processes are dead at any time, so that no gap is anybody's
/// promise.
pub(super) fn allow() -> Allow {
    Allow {
        polls_per_dispatch: 10.0,
        recovery: None,
        strikes: u64::MAX,
        ..Allow::default()
    }
}
