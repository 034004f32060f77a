//! Accounts whose events are larger than Kafka's client takes, among healthy ones.

use std::{fs, time::Duration};

use anyhow::Context as _;
use async_trait::async_trait;

use super::{
    Allow, Scenario,
    misbehaving::{self, Bad},
};
use crate::{report::Report, runner::Run, stage::Setting};

const OVERSIZED: [Bad; 3] = [oversized(900_000), oversized(900_001), oversized(900_002)];

/// What the client takes: more than any post, less than what those accounts have.
const MOST: &str = "--kafka=message.max.bytes=100000";

const fn oversized(account: u32) -> Bad {
    Bad {
        account,
        mode: "oversizes",
        quarantined: false,
    }
}

/// See the module.
pub(super) struct KafkaEventTooLarge;

#[async_trait]
impl Scenario for KafkaEventTooLarge {
    fn name(&self) -> &'static str {
        "kafka-event-too-large"
    }

    fn about(&self) -> &'static str {
        "three accounts have events that Kafka never takes: their jobs cycle on, the others' events arrive"
    }

    fn setting(&self) -> Setting {
        let mut worker_args = misbehaving::worker_args(&OVERSIZED);
        worker_args.push(MOST.to_owned());
        Setting {
            worker_args,
            ..Setting::default()
        }
    }

    fn allow(&self) -> Allow {
        Allow {
            recovery: Some(Duration::ZERO),
            ..Allow::default()
        }
    }

    fn length(&self) -> Duration {
        Duration::from_secs(35)
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        // Three polls of each, however short the run was to be.
        run.at_least(run.stage.setting.interval * 3 + Duration::from_secs(4));
        misbehaving::play(run, &OVERSIZED, Duration::from_secs(120)).await
    }

    fn judge(&self, run: &Run, report: &mut Report) -> anyhow::Result<()> {
        misbehaving::judge(run, &OVERSIZED, report);
        let dispatched = run.watch.dispatched();
        for job in OVERSIZED {
            let id = format!("posts:{}", job.account);
            let times = dispatched.iter().filter(|one| one.id == id).count();
            // Sooner than any lease ends: each time but the last it was completed.
            let found = format!("{id} dispatched {times} times");
            report.check("jobs with such events cycle on", times >= 3, found);
            let refused = refused(run, &id)?;
            let found = format!("{refused} events of {id} refused by Kafka's client");
            report.check("faults were injected", refused >= 3, found);
        }
        Ok(())
    }
}

/// How many events of a job the workers' logs tell that Kafka's client refused.
fn refused(run: &Run, id: &str) -> anyhow::Result<usize> {
    let (job, reason) = (format!("{{id={id} "), "is larger than the bus");
    let mut refused = 0;
    for worker in &run.stage.workers {
        let path = run.stage.folder.join(format!("{}.log", worker.name()));
        let log = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let log = String::from_utf8_lossy(&log);
        let tells = |line: &&str| line.contains(&job) && line.contains(reason);
        refused += log.lines().filter(tells).count();
    }
    Ok(refused)
}
