//! Many clients register, edit and remove while schedulers are killed.

use std::time::Duration;

use async_trait::async_trait;
use rand::RngExt as _;

use super::{Allow, Scenario};
use crate::{runner::Run, stage::Setting};

/// See the module.
pub(super) struct RegistrationsConcurrent;

#[async_trait]
impl Scenario for RegistrationsConcurrent {
    fn name(&self) -> &'static str {
        "registrations-concurrent"
    }

    fn about(&self) -> &'static str {
        "clients register, edit, pause and remove all the time, while schedulers are killed"
    }

    fn setting(&self) -> Setting {
        Setting {
            schedulers: 3,
            accounts: 80,
            churn: 120,
            client_pause: Duration::from_millis(60),
            ..Setting::default()
        }
    }

    fn allow(&self) -> Allow {
        Allow {
            // Of jobs removed or replaced while they are polled nobody waits for the outcome.
            polls_per_dispatch: 1.2,
            ..Allow::default()
        }
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        while !run.left().is_zero() {
            run.calm_between(4_000, 8_000).await;
            let at = run.random.random_range(0..run.stage.schedulers.len());
            let dead = run.faults.begin("kill scheduler");
            run.stage.schedulers[at].process.kill().await?;
            run.calm_between(200, 2_000).await;
            run.stage.schedulers[at].process.start_again(&[])?;
            drop(dead);
        }
        Ok(())
    }
}
