//! kill -9 at each labelled point between two effects: a process is started so that it aborts
//! there, and started again, so many times at each point.
//!
//! Three stages at once. On the first is the regular work, and clients that ask for every edit; on
//! the second what else happens: dead letters, messages that vanish, jobs that cannot be sent; on
//! the third is one scheduler that claims the notes which it left behind itself.

mod lane;
mod notes;
mod regular;
mod trouble;

use std::collections::BTreeMap;

use async_trait::async_trait;
use polling_model::KillPoint;

use super::Scenario;
use crate::{
    report::Report,
    runner::{House, Run},
};

/// See the module.
pub(super) struct KillPoints;

/// Kills by point.
type Kills = BTreeMap<KillPoint, u32>;

/// Points that no program of ours comes to, and why.
const OUT_OF_REACH: [(KillPoint, &str); 1] = [(
    KillPoint::SchedulerLevelChanged,
    "the ready-made scheduler has no source of service levels; cycle-sim crashes there",
)];

#[async_trait]
impl Scenario for KillPoints {
    fn name(&self) -> &'static str {
        "kill-points"
    }

    fn about(&self) -> &'static str {
        "kill -9 at each labelled point between two effects, --kills times each"
    }

    async fn inject(&self, _: &mut Run) -> anyhow::Result<()> {
        Ok(())
    }

    async fn play(&self, house: &House) -> Option<anyhow::Result<Report>> {
        Some(play(house).await)
    }
}

async fn play(house: &House) -> anyhow::Result<Report> {
    // One after the other: a starting stage takes both cores of a small machine.
    let mut regular = Run::begin(house, "kill-points-regular", regular::setting()).await?;
    let mut trouble = Run::begin(house, "kill-points-trouble", trouble::setting()).await?;
    let mut notes = Run::begin(house, "kill-points-notes", notes::setting()).await?;
    let ((mut kills, first), (more, second), (last, third)) = tokio::try_join!(
        regular::play(&mut regular, house.kills),
        trouble::play(&mut trouble, house.kills),
        notes::play(&mut notes, house.kills)
    )?;
    kills.extend(more);
    kills.extend(last);
    let mut report = Report {
        folder: house.folder.clone(),
        ..Report::default()
    };
    report.absorb("regular", first);
    report.absorb("trouble", second);
    report.absorb("notes", third);
    count(&kills, house.kills, &mut report);
    report.conclude();
    Ok(report)
}

/// A point that was not reached proves nothing.
fn count(kills: &Kills, wanted: u32, report: &mut Report) {
    let mut missing = Vec::new();
    for point in KillPoint::ALL {
        if OUT_OF_REACH.iter().any(|(out, _)| out == point) {
            continue;
        }
        let count = kills.get(point).copied().unwrap_or(0);
        report.figure(point.as_str(), f64::from(count), "kills");
        if count < wanted {
            missing.push(format!("{point} {count}"));
        }
    }
    let total: u32 = kills.values().sum();
    report.figure("kills at labelled points", f64::from(total), "");
    let found = match missing.is_empty() {
        true => format!("{total} kills at {} points", kills.len()),
        false => format!("fewer than {wanted}: {}", missing.join(", ")),
    };
    report.check("every point was reached", missing.is_empty(), found);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_that_was_never_reached_fails() {
        let reachable = KillPoint::ALL
            .iter()
            .filter(|point| OUT_OF_REACH.iter().all(|(out, _)| out != *point));
        let mut kills: Kills = reachable.map(|point| (*point, 2)).collect();
        let mut report = Report::default();
        count(&kills, 2, &mut report);
        assert_eq!(report.failures().count(), 0);
        kills.remove(&KillPoint::WorkerAcked);
        count(&kills, 2, &mut report);
        assert_eq!(report.failures().count(), 1);
    }

    #[test]
    fn each_point_has_a_lane_or_a_reason_to_have_none() {
        for point in KillPoint::ALL {
            let lanes = regular::points()
                .chain(trouble::points())
                .chain(notes::points());
            let lanes = lanes.filter(|lane| lane == point).count();
            let out = OUT_OF_REACH.iter().filter(|(out, _)| out == point).count();
            assert_eq!(lanes + out, 1, "{point}");
        }
    }
}
