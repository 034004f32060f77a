//! Processes of this revision beside those of an earlier one, on the same store and queues.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;

use super::{Allow, Scenario, rolling_restart::GRACE};
use crate::{
    process::{Process, Program},
    runner::Run,
    stage::bounds,
};

/// Names the earlier revision.
const REVISION: &str = include_str!("../../previous-revision");

/// How long building it may take, on a machine that is busy.
const BUILD: Duration = Duration::from_secs(1_200);

/// Between two changes of version.
const EVERY: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct MixedVersions;

#[async_trait]
impl Scenario for MixedVersions {
    fn name(&self) -> &'static str {
        "mixed-versions"
    }

    fn about(&self) -> &'static str {
        "every 5 s one process changes between this revision and an earlier one, forth and back"
    }

    fn allow(&self) -> Allow {
        Allow {
            // A deployment is no fault, but the earlier revision drops the receive that it has open
            // when it is told to end.
            recovery: Some(bounds::VISIBILITY * 2),
            ..Allow::default()
        }
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        run.phase("building the earlier revision");
        let building = run.faults.begin("build on the same machine");
        let earlier = build(run).await?;
        drop(building);
        run.phase("faults");
        let mut changes = 0;
        let begin = tokio::time::Instant::now();
        // What was left when the build was done counts from then on.
        while changes < 8 || (!run.left().is_zero() && begin.elapsed() < self.length()) {
            change(run, changes, &earlier).await?;
            changes += 1;
            run.faults.set_count("version changed", changes as u64);
            run.calm(EVERY).await;
        }
        Ok(())
    }
}

/// Builds the earlier revision's programs, unless they are there. Their folder.
async fn build(run: &Run) -> anyhow::Result<PathBuf> {
    let scheduler = run.stage.programs().scheduler();
    let programs = scheduler.parent().context("a program is in a folder")?;
    let revision = REVISION.trim();
    let folder = programs.join("earlier").join(revision);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dev/lib/earlier.sh");
    let building = Program {
        name: "build-earlier".to_owned(),
        path: script,
        args: vec![
            revision.to_owned(),
            programs.display().to_string(),
            folder.display().to_string(),
        ],
        env: Vec::new(),
        folder: run.stage.folder.clone(),
    };
    building.run(BUILD).await?;
    Ok(folder)
}

/// One process, workers and schedulers in turn, ends and comes back in the other version.
async fn change(run: &mut Run, turn: usize, earlier: &Path) -> anyhow::Result<()> {
    let workers = run.stage.workers.len();
    let at = turn % (workers + run.stage.schedulers.len());
    let programs = run.stage.programs().clone();
    let (process, today, name) = match at.checked_sub(workers) {
        None => (
            &mut run.stage.workers[at],
            programs.example("channel_worker"),
            "channel_worker",
        ),
        Some(at) => (
            &mut run.stage.schedulers[at].process,
            programs.scheduler(),
            "scheduler",
        ),
    };
    let mut program = process.program().clone();
    let from_earlier = program.path != today;
    let ending = from_earlier.then(|| run.faults.begin("SIGTERM to the earlier revision"));
    let ended = process.terminate(GRACE).await?;
    ensure!(
        ended,
        "{} does not end with exit code 0 within {GRACE:?}",
        process.name()
    );
    drop(ending);
    program.path = match from_earlier {
        true => today,
        false => earlier.join(name),
    };
    *process = Process::start(program)?;
    run.stage.ready().await
}
