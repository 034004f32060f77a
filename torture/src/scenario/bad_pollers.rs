//! One account of each kind of bad poller among healthy ones.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    Allow, Scenario,
    misbehaving::{self, Bad},
};
use crate::{report::Report, runner::Run, stage::Setting};

const BAD: [Bad; 5] = [
    bad(900_000, "fails", false),
    bad(900_001, "hangs", false),
    bad(900_002, "blocks", false),
    bad(900_003, "panics", true),
    bad(900_004, "eats-memory", true),
];

const fn bad(account: u32, mode: &'static str, quarantined: bool) -> Bad {
    Bad {
        account,
        mode,
        quarantined,
    }
}

/// See the module.
pub(super) struct BadPollers;

#[async_trait]
impl Scenario for BadPollers {
    fn name(&self) -> &'static str {
        "bad-pollers"
    }

    fn about(&self) -> &'static str {
        "polls of five accounts fail, hang, block their thread, panic, or eat memory; the others go on"
    }

    fn setting(&self) -> Setting {
        Setting {
            worker_args: misbehaving::worker_args(&BAD),
            ..Setting::default()
        }
    }

    fn allow(&self) -> Allow {
        Allow {
            // Bad polls do not call the channel; those under way in a process that ends are
            // repeated.
            polls_per_dispatch: 1.1,
            culprits: misbehaving::ids(&BAD),
            // A process ends every few seconds: a neighbour under way at four ends in a row is a
            // dead letter, once. Its next completion clears the strike.
            strikes: 5,
            ..Allow::default()
        }
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        misbehaving::play(run, &BAD, Duration::from_secs(300)).await
    }

    fn judge(&self, run: &Run, report: &mut Report) -> anyhow::Result<()> {
        misbehaving::judge(run, &BAD, report);
        Ok(())
    }
}
