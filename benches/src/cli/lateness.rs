//! `measure lateness`.

use std::time::Duration;

use benches::cycle::{self, Even};
use clap::Args;
use polling_model::SlotRing;

use super::addresses::Addresses;

#[derive(Debug, Args)]
pub(super) struct Lateness {
    /// Registered jobs.
    #[arg(long, default_value_t = 1_000_000)]
    jobs: usize,
    /// How often each is due, seconds.
    #[arg(long, default_value_t = 300)]
    interval_s: u64,
    /// Width of a slot, seconds.
    #[arg(long, default_value_t = 60)]
    slot_s: u32,
    /// Seconds that are looked at, from the first slot that begins.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    #[command(flatten)]
    at: Addresses,
}

impl Lateness {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        let even = Even {
            jobs: self.jobs,
            interval: Duration::from_secs(self.interval_s),
            ring: SlotRing::new(i64::from(self.slot_s) * 1000)?,
            measured: Duration::from_secs(self.seconds),
        };
        super::print(2, async {
            Ok(vec![cycle::lateness(self.at.redis()?, &even).await?])
        })
    }
}
