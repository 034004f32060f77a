//! A scheduler is killed; what was due is dispatched by another, or by itself once it is back.

use std::time::Duration;

use async_trait::async_trait;
use rand::RngExt as _;

use super::{Allow, Scenario};
use crate::{
    clock::ms,
    faults::Window,
    oracle::{calls, watch::Dispatched},
    report::Report,
    runner::Run,
    stage::{Setting, bounds},
};

/// See the module.
pub(super) struct SchedulerKilled {
    /// A second scheduler lives.
    pub(super) alone: bool,
}

/// How late a dispatch may be, beyond the end of its slot or the scheduler's restart.
const BESIDE_ANOTHER: f64 = 1.0;
const ALONE: f64 = 3.0;

/// How long after a kill its effects are measured.
const EFFECT: Duration = Duration::from_secs(6);

#[async_trait]
impl Scenario for SchedulerKilled {
    fn name(&self) -> &'static str {
        match self.alone {
            true => "scheduler-killed-alone",
            false => "scheduler-killed",
        }
    }

    fn about(&self) -> &'static str {
        match self.alone {
            true => {
                "kill -9 of the only scheduler: what was due is sent at most 3 s after its restart"
            }
            false => "kill -9 of one of two schedulers: at most 1 s of extra lateness",
        }
    }

    fn setting(&self) -> Setting {
        Setting {
            schedulers: if self.alone { 1 } else { 2 },
            // What the dead one had drained and not sent waits for this.
            config: vec![("limits.note_deadline", "1s".to_owned())],
            ..Setting::default()
        }
    }

    fn allow(&self) -> Allow {
        Allow {
            polls_per_dispatch: 1.2,
            recovery: Some(bounds::VISIBILITY * 3),
            ..Allow::default()
        }
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        while run.left() > EFFECT {
            let at = run.random.random_range(0..run.stage.schedulers.len());
            let process = &mut run.stage.schedulers[at].process;
            let dead = run.faults.begin(&format!("kill {}", process.name()));
            process.kill().await?;
            run.calm_between(2_000, 4_000).await;
            run.stage.schedulers[at].process.start_again(&[])?;
            drop(dead);
            run.stage.ready().await?;
            run.calm_between(5_000, 9_000).await;
        }
        Ok(())
    }

    fn judge(&self, run: &Run, report: &mut Report) -> anyhow::Result<()> {
        let windows = run.faults.windows();
        let dispatched = run.watch.dispatched();
        let late = lateness(&dispatched, &windows, self.alone);
        let seconds = |ms: i64| ms as f64 / 1_000.0;
        let longest = seconds(late.faulty_ms.last().copied().unwrap_or(i64::MAX));
        if self.alone {
            let name = "dispatch after the restart, latest";
            report.bounded(name, longest, "s", ALONE);
            return Ok(());
        }
        let usual = seconds(calls::percentile(&late.calm_ms, 99));
        report.figure("lateness of a dispatch without faults, p99", usual, "s");
        let name = "extra lateness of a dispatch after a kill";
        report.bounded(name, (longest - usual).max(0.0), "s", BESIDE_ANOTHER);
        Ok(())
    }
}

/// How late dispatches were beyond the end of their slot, which is as early as they can be; and
/// under faults beyond the restart, too, for who is alone.
fn lateness(dispatched: &[Dispatched], windows: &[Window], alone: bool) -> calls::Gaps {
    let mut late = calls::Gaps::default();
    let slot_ms = ms(bounds::SLOT);
    for one in dispatched {
        let at_best_ms = (one.due_ms + slot_ms - 1).div_euclid(slot_ms) * slot_ms;
        let hit = windows
            .iter()
            .find(|window| window.touches(at_best_ms, one.at_ms, ms(EFFECT)));
        let late_ms = |from_ms: i64| (one.at_ms - from_ms).max(0);
        match hit {
            Some(window) if alone => {
                let back_ms = window.to_ms.unwrap_or(at_best_ms);
                late.faulty_ms.push(late_ms(at_best_ms.max(back_ms)));
            }
            Some(_) => late.faulty_ms.push(late_ms(at_best_ms)),
            None => late.calm_ms.push(late_ms(at_best_ms)),
        }
    }
    late.calm_ms.sort_unstable();
    late.faulty_ms.sort_unstable();
    late
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_counts_from_the_end_of_the_slot_or_from_the_restart() {
        let dispatched = |due_ms, at_ms| Dispatched {
            id: "a".to_owned(),
            at_ms,
            due_ms,
        };
        let dispatched = [dispatched(1_200, 2_050), dispatched(30_500, 35_000)];
        let window = Window {
            fault: "kill scheduler-0".to_owned(),
            from_ms: 30_000,
            to_ms: Some(34_000),
        };
        let beside = lateness(&dispatched, std::slice::from_ref(&window), false);
        assert_eq!((beside.calm_ms, beside.faulty_ms), (vec![50], vec![4_000]));
        let alone = lateness(&dispatched, &[window], true);
        assert_eq!(alone.faulty_ms, [1_000]);
    }
}
