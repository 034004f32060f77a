//! A payload that ends its worker's process at each poll, among healthy ones.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    Allow, Scenario,
    misbehaving::{self, Bad},
};
use crate::{report::Report, runner::Run, stage::Setting};

const POISON: [Bad; 1] = [Bad {
    account: 900_000,
    mode: "aborts",
    quarantined: true,
}];

/// See the module.
pub(super) struct PoisonPayload;

#[async_trait]
impl Scenario for PoisonPayload {
    fn name(&self) -> &'static str {
        "poison-payload"
    }

    fn about(&self) -> &'static str {
        "one account's poll ends its process each time: it is quarantined, its neighbours are not"
    }

    fn setting(&self) -> Setting {
        Setting {
            // Many under way beside it.
            accounts: 300,
            channel_latency: Duration::from_millis(200),
            worker_args: misbehaving::worker_args(&POISON),
            ..Setting::default()
        }
    }

    fn allow(&self) -> Allow {
        Allow {
            polls_per_dispatch: 1.1,
            culprits: misbehaving::ids(&POISON),
            ..Allow::default()
        }
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        misbehaving::play(run, &POISON, Duration::from_secs(300)).await
    }

    fn judge(&self, run: &Run, report: &mut Report) -> anyhow::Result<()> {
        misbehaving::judge(run, &POISON, report);
        Ok(())
    }
}
