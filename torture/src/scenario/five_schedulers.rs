//! Several schedulers at once are normal: they share the work without a leader.

use std::time::Duration;

use async_trait::async_trait;

use super::{Allow, Scenario};
use crate::{report::Report, runner::Run, stage::Setting};

/// See the module.
pub(super) struct FiveSchedulers;

#[async_trait]
impl Scenario for FiveSchedulers {
    fn name(&self) -> &'static str {
        "five-schedulers"
    }

    fn about(&self) -> &'static str {
        "five schedulers from the start: nothing dispatched twice, each does its part"
    }

    fn setting(&self) -> Setting {
        Setting {
            schedulers: 5,
            ..Setting::default()
        }
    }

    fn allow(&self) -> Allow {
        Allow {
            polls_per_dispatch: 1.02,
            recovery: Some(Duration::ZERO),
            ..Allow::default()
        }
    }

    fn length(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        run.calm(run.left()).await;
        let parts: Vec<_> = run
            .admin
            .status()
            .await
            .values()
            .map(|status| status.dispatched + status.accepted)
            .collect();
        let idle = parts.iter().filter(|part| **part == 0).count();
        run.found.check(
            "each scheduler does its part",
            parts.len() == 5 && idle == 0,
            format!("dispatched and accepted: {parts:?}"),
        );
        Ok(())
    }

    fn judge(&self, run: &Run, report: &mut Report) -> anyhow::Result<()> {
        let reaped = run.watch.counts().reaped;
        report.check("nothing is reaped", reaped == 0, format!("{reaped} reaped"));
        Ok(())
    }
}
