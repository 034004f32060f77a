//! Dead letters, messages that vanish, jobs that cannot be sent or get no call.

use std::time::Duration;

use futures_util::future::try_join_all;
use polling_model::KillPoint as P;
use reqwest::Method;
use tokio::time::sleep;

use super::{Kills, lane};
use crate::{admin::Admin, oracle::queues::Queues, report::Report, runner::Run, stage::Setting};

/// Schedulers that die; one more lives.
const SCHEDULERS: [&[P]; 4] = [
    &[
        P::SchedulerDeadLettersReceived,
        P::SchedulerDeadLettersSettled,
    ],
    &[P::SchedulerDeadLetterKept, P::SchedulerDeadLettersAcked],
    &[P::SchedulerRefused, P::SchedulerPostponed],
    &[P::SchedulerReaped],
];

/// The one of them that reaps. The others wait for completions longer, and leave it the jobs.
const REAPING: usize = 3;

/// The one that lives, and alone knows the job type `orphans`: the others refuse its jobs.
const KNOWING: usize = SCHEDULERS.len();

/// Jobs whose messages vanish: their leases end.
const LOST: std::ops::Range<u32> = 0..30;
/// Jobs of a type that most schedulers refuse; of those sent the messages vanish, too.
const ORPHANS: std::ops::Range<u32> = 0..40;

/// Between two rounds of making trouble.
const ROUND: Duration = Duration::from_millis(500);

/// So many release every orphan once.
const ROUNDS: u64 = 10;

/// How long a call for the trouble may be repeated.
const PATIENCE: Duration = Duration::from_secs(60);

/// All of them.
#[cfg(test)]
pub(super) fn points() -> impl Iterator<Item = P> {
    SCHEDULERS.into_iter().flatten().copied()
}

pub(super) fn setting() -> Setting {
    let config = [
        ("queues.visibility_timeout", "2s"),
        ("limits.queue_wait", "2s"),
        ("limits.max_receives", "2"),
        ("limits.work", "14s"),
        ("limits.in_flight_margin", "1s"),
        ("limits.reap_grace", "5s"),
        ("job_types.posts.max_strikes", "1000000"),
        ("job_types.lost.interval", "8s"),
        // Fewer calls than its jobs ask for: some are placed anew in most slots.
        (
            "job_types.lost.scopes",
            "[{ scope = \"lost\", limit = { calls = 20, window = \"10s\" } }]",
        ),
    ];
    Setting {
        schedulers: REAPING,
        workers: 1,
        accounts: 80,
        config: config
            .iter()
            .map(|(path, value)| (*path, (*value).to_owned()))
            .collect(),
        ..Setting::default()
    }
}

pub(super) async fn play(run: &mut Run, kills: u32) -> anyhow::Result<(Kills, Report)> {
    run.phase("making trouble");
    prepare(run).await?;
    run.phase("kill points");
    let faults = run.faults.clone();
    let trouble = make_trouble(
        run.admin.clone(),
        run.queues.clone(),
        ["dead-letter", "lost", "orphans"].map(|kind| run.stage.queue(kind)),
    );
    let processes = run.stage.schedulers.iter_mut().map(|one| &mut one.process);
    let lanes = processes
        .zip(SCHEDULERS)
        .map(|(process, points)| lane::play(process, points, kills, &faults));
    let killed = tokio::select! {
        biased;
        killed = try_join_all(lanes) => killed?,
        stopped = trouble => return Err(stopped),
    };
    clear(run).await?;
    let report = run.finish(&super::regular::allow()).await?;
    Ok((killed.into_iter().flatten().collect(), report))
}

/// A scheduler that reaps before the others, two workers that panic for a fourth of the accounts, a
/// scheduler that knows more than the others, and jobs for all.
async fn prepare(run: &mut Run) -> anyhow::Result<()> {
    let channel = format!("POLLING__CHANNELS__{}", run.stage.name.to_uppercase());
    let grace = format!("{channel}__LIMITS__REAP_GRACE");
    let reaping = run.stage.add_scheduler(&[(&grace, "0s")])?;
    debug_assert_eq!(reaping, REAPING);
    let orphans = format!("{channel}__JOB_TYPES__ORPHANS__INTERVAL");
    let env = [(orphans.as_str(), "8s")];
    run.stage.create_queues_with(&env).await?;
    let knowing = run.stage.add_scheduler(&env)?;
    debug_assert_eq!(knowing, KNOWING);
    for _ in 0..2 {
        run.stage
            .add_worker(&["--misbehave=60-79=panics".to_owned()])?;
    }
    run.stage.ready().await?;
    run.admin = Admin::new(run.stage.admin_urls())?;
    for (job_type, account) in troubled() {
        let body = format!("{{\"job_type\":\"{job_type}\",\"account\":\"{account}\"}}");
        ask(&run.admin, Method::POST, "/jobs", &body).await?;
    }
    Ok(())
}

fn troubled() -> impl Iterator<Item = (&'static str, u32)> {
    let lost = LOST.map(|account| ("lost", account));
    lost.chain(ORPHANS.map(|account| ("orphans", account)))
}

/// Undecodable dead letters, messages that vanish, and orphans released again and again. Ends only
/// with an error.
async fn make_trouble(admin: Admin, queues: Queues, names: [String; 3]) -> anyhow::Error {
    for round in 0.. {
        if let Err(error) = make_round(&admin, &queues, &names, round).await {
            return error.context("no trouble can be made");
        }
        sleep(ROUND).await;
    }
    unreachable!("there are more numbers than rounds")
}

async fn make_round(
    admin: &Admin,
    queues: &Queues,
    [dead_letter, lost, orphans]: &[String; 3],
    round: u64,
) -> anyhow::Result<()> {
    queues.send(dead_letter, &format!("garbage{round}")).await?;
    // A lease grows while messages wait that nobody answers.
    for queue in [lost, orphans] {
        queues.purge(queue).await?;
    }
    // A few at a time: released together they would stay together, and one scheduler have them all.
    let first = ORPHANS.start + (round % ROUNDS) as u32;
    for account in (first..ORPHANS.end).step_by(ROUNDS as usize) {
        let path = format!("/jobs/orphans:{account}/resume");
        ask(admin, Method::POST, &path, "").await?;
    }
    Ok(())
}

/// Only what is healthy stays, so that all can come back to normal.
async fn clear(run: &mut Run) -> anyhow::Result<()> {
    for mut worker in run.stage.workers.split_off(1) {
        worker.terminate(Duration::from_secs(20)).await?;
    }
    for (job_type, account) in troubled() {
        let path = format!("/jobs/{job_type}:{account}");
        ask(&run.admin, Method::DELETE, &path, "").await?;
    }
    Ok(())
}

/// Only one scheduler knows what orphans are.
async fn ask(admin: &Admin, method: Method, path: &str, body: &str) -> anyhow::Result<()> {
    let answer = admin
        .of(KNOWING)
        .insist(0, method.clone(), path, body, PATIENCE)
        .await?;
    anyhow::ensure!(
        answer.status < 300,
        "{method} {path} is answered {}: {}",
        answer.status,
        answer.text
    );
    Ok(())
}
