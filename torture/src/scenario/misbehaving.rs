//! What scenarios with bad pollers share: accounts beyond all others, whose polls do harm instead
//! of calling the channel.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use tokio::time::Instant;

use crate::{report::Report, runner::Run};

/// How long registering and removing may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// As an orchestrator would: between two looks at the workers, and before one is started again.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// An account whose polls do harm, in a mode of `channel_worker --misbehave`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bad {
    pub(super) account: u32,
    pub(super) mode: &'static str,
    /// Whether it must end in quarantine, or goes on as a job that fails.
    pub(super) quarantined: bool,
}

impl Bad {
    fn id(&self) -> String {
        format!("posts:{}", self.account)
    }
}

/// Their jobs.
pub(super) fn ids(bad: &[Bad]) -> BTreeSet<String> {
    bad.iter().map(Bad::id).collect()
}

/// The arguments with which workers misbehave so.
pub(super) fn worker_args(bad: &[Bad]) -> Vec<String> {
    let rules = bad
        .iter()
        .map(|bad| format!("--misbehave={}={}", bad.account, bad.mode));
    rules.chain(["--eats-mb=64".to_owned()]).collect()
}

/// Registers the bad jobs, starts again what they end, and removes them at the end: not before all
/// that must be are quarantined, which takes as long as it takes.
pub(super) async fn play(run: &mut Run, bad: &[Bad], patience: Duration) -> anyhow::Result<()> {
    for bad in bad {
        let accounts = bad.account..bad.account + 1;
        run.admin.register_all(accounts, PATIENCE).await?;
    }
    let harm = run.faults.begin("pollers misbehave");
    let begin = Instant::now();
    loop {
        start_again(run)?;
        run.calm(LOOK_EVERY).await;
        let missing = missing(run, bad);
        if missing.is_empty() && run.left().is_zero() {
            break;
        }
        if begin.elapsed() > patience {
            bail!(
                "not quarantined within {patience:?}: {}",
                missing.join(", ")
            );
        }
    }
    for bad in bad {
        let path = format!("/jobs/{}", bad.id());
        let answer = run
            .admin
            .insist(0, Method::DELETE, &path, "", PATIENCE)
            .await?;
        ensure!(
            answer.status < 300,
            "{path} is not removed: {}",
            answer.text
        );
    }
    drop(harm);
    Ok(())
}

fn start_again(run: &mut Run) -> anyhow::Result<()> {
    for worker in &mut run.stage.workers {
        if !worker.runs() {
            run.faults.injected("worker ended by a poll");
            let name = worker.name().to_owned();
            worker.start_again(&[]).with_context(|| name)?;
        }
    }
    Ok(())
}

fn missing(run: &Run, bad: &[Bad]) -> Vec<String> {
    let quarantined = run.watch.quarantined();
    let expected = bad.iter().filter(|bad| bad.quarantined).map(Bad::id);
    expected.filter(|id| !quarantined.contains(id)).collect()
}

/// Those that must be are quarantined, and no other job is.
pub(super) fn judge(run: &Run, bad: &[Bad], report: &mut Report) {
    let expected: BTreeSet<_> = bad
        .iter()
        .filter(|bad| bad.quarantined)
        .map(Bad::id)
        .collect();
    let quarantined = run.watch.quarantined();
    let names: Vec<_> = quarantined.iter().cloned().collect();
    report.check(
        "quarantined are the culprits alone",
        quarantined == expected,
        names.join(", "),
    );
    let ended = run.faults.counts().get("worker ended by a poll").copied();
    report.figure("workers ended by a poll", ended.unwrap_or(0) as f64, "");
}
