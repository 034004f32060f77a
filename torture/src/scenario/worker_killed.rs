//! A worker is killed with polls under way: their messages reappear, and another polls them.

use std::{collections::BTreeMap, time::Duration};

use anyhow::bail;
use async_trait::async_trait;
use rand::RngExt as _;
use tokio::time::Instant;

use super::{Allow, Scenario};
use crate::{
    clock::{ms, now_ms},
    oracle::calls::{self, Call},
    report::Report,
    runner::Run,
    stage::{Setting, bounds},
};

/// The channel takes its time, so that every worker has polls under way when it is killed.
const LATENCY: Duration = Duration::from_secs(1);

/// How long a worker that was just started may take until it polls.
const AT_WORK: Duration = Duration::from_secs(20);

/// Beyond the visibility timeout.
const BOUND: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct WorkerKilled;

#[async_trait]
impl Scenario for WorkerKilled {
    fn name(&self) -> &'static str {
        "worker-killed"
    }

    fn about(&self) -> &'static str {
        "kill -9 of a worker: what it held is polled again within the visibility timeout + 5 s"
    }

    fn setting(&self) -> Setting {
        Setting {
            channel_latency: LATENCY,
            ..Setting::default()
        }
    }

    fn allow(&self) -> Allow {
        Allow {
            polls_per_dispatch: 1.5,
            // What the other worker has in the meantime, and a later kill, may hit the same job.
            recovery: Some(bounds::VISIBILITY * 3),
            ..Allow::default()
        }
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        while run.left() > bounds::VISIBILITY * 2 {
            let at = run.random.random_range(0..run.stage.workers.len());
            await_poll(run, at).await?;
            let worker = &mut run.stage.workers[at];
            let dead = run.faults.begin(&format!("kill {}", worker.name()));
            worker.kill().await?;
            run.calm(bounds::VISIBILITY + BOUND).await;
            run.stage.workers[at].start_again(&[])?;
            drop(dead);
            run.calm_between(3_000, 6_000).await;
        }
        Ok(())
    }

    fn judge(&self, run: &Run, report: &mut Report) -> anyhow::Result<()> {
        let calls = calls::read(&run.stage.channel_log())?;
        let again = polled_again(run, &calls);
        let longest = again.iter().copied().max().unwrap_or(i64::MAX);
        let bound = bounds::VISIBILITY + BOUND;
        report.bounded(
            "job of a killed worker polled again after",
            longest as f64 / 1_000.0,
            "s",
            bound.as_secs_f64(),
        );
        report.figure("jobs that killed workers held", again.len() as f64, "");
        Ok(())
    }
}

/// Until the worker has a poll under way that will not be answered for some time.
async fn await_poll(run: &Run, worker: usize) -> anyhow::Result<()> {
    let name = run.stage.workers[worker].name();
    let until = Instant::now() + AT_WORK;
    while Instant::now() < until {
        let begun_ms = now_ms() - ms(LATENCY) / 2;
        let calls = calls::read(&run.stage.channel_log())?;
        let begun = |call: &Call| call.worker == name && call.time_ms > begun_ms;
        if calls.iter().rev().any(begun) {
            return Ok(());
        }
        run.calm(Duration::from_millis(50)).await;
    }
    bail!("{name} polls nothing within {AT_WORK:?}")
}

/// For each job that a killed worker was polling, how long after the kill it was polled again,
/// milliseconds. Its answer was not sent yet: the worker cannot have completed it.
fn polled_again(run: &Run, calls: &[Call]) -> Vec<i64> {
    let mut again = Vec::new();
    for window in run.faults.windows() {
        let Some(worker) = window.fault.strip_prefix("kill ") else {
            continue;
        };
        let killed_ms = window.from_ms;
        let under_way = killed_ms - ms(LATENCY) + 100..killed_ms;
        let held: BTreeMap<u32, i64> = calls
            .iter()
            .filter(|call| call.worker == worker && under_way.contains(&call.time_ms))
            .map(|call| (call.account, call.time_ms))
            .collect();
        for account in held.keys() {
            let next = calls
                .iter()
                .find(|call| call.account == *account && call.time_ms > killed_ms);
            again.push(next.map_or(i64::MAX, |call| call.time_ms - killed_ms));
        }
    }
    again
}
