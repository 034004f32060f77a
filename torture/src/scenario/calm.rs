//! No faults: what the others are measured against, and proof that the oracles see something.

use std::time::Duration;

use async_trait::async_trait;

use super::{Allow, Scenario};
use crate::{report::Report, runner::Run};

/// See the module.
pub(super) struct Calm;

#[async_trait]
impl Scenario for Calm {
    fn name(&self) -> &'static str {
        "calm"
    }

    fn about(&self) -> &'static str {
        "no faults: every job polled once for each dispatch, none late, nothing repaired"
    }

    fn allow(&self) -> Allow {
        Allow {
            // Jobs of clients that are removed or replaced while their poll is under way.
            polls_per_dispatch: 1.02,
            recovery: Some(Duration::ZERO),
            ..Allow::default()
        }
    }

    fn length(&self) -> Duration {
        Duration::from_secs(20)
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        run.calm(run.left()).await;
        Ok(())
    }

    fn judge(&self, run: &Run, report: &mut Report) -> anyhow::Result<()> {
        let reaped = run.watch.counts().reaped;
        report.check("nothing is reaped", reaped == 0, format!("{reaped} reaped"));
        Ok(())
    }
}
