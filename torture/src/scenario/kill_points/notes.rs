//! Notes of what was drained and not sent. Another scheduler would claim them first, so that the
//! one which dies is alone, and leaves at one death what it claims at the next.

use polling_model::KillPoint;

use super::{Kills, lane, regular};
use crate::{report::Report, runner::Run, stage::Setting};

/// Where the scheduler dies.
const POINT: KillPoint = KillPoint::SchedulerNoteClaimed;

/// Where it dies before, so that there is a note.
const LEAVES_NOTE: KillPoint = KillPoint::SchedulerDrained;

/// All of them.
#[cfg(test)]
pub(super) fn points() -> impl Iterator<Item = KillPoint> {
    std::iter::once(POINT)
}

pub(super) fn setting() -> Setting {
    Setting {
        schedulers: 1,
        workers: 1,
        accounts: 60,
        // Clients would hardly be answered.
        churn: 0,
        // A start takes as long: the next one finds a note that can be claimed.
        config: vec![("limits.note_deadline", "1s".to_owned())],
        ..Setting::default()
    }
}

pub(super) async fn play(run: &mut Run, kills: u32) -> anyhow::Result<(Kills, Report)> {
    run.phase("kill points");
    let process = &mut run.stage.schedulers[0].process;
    let count = lane::play_in_turn(process, LEAVES_NOTE, POINT, kills, &run.faults).await?;
    let report = run.finish(&regular::allow()).await?;
    Ok((Kills::from([(POINT, count)]), report))
}
