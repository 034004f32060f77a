//! `measure raw` and `measure kafka`.

use benches::ceiling;
use clap::Args;

use super::addresses::Addresses;

#[derive(Debug, Args)]
pub(super) struct Raw {
    /// Cycles whose calls are made.
    #[arg(long, default_value_t = 40_000)]
    jobs: usize,
    #[command(flatten)]
    at: Addresses,
}

impl Raw {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        super::print(2, async {
            let servers = self.at.servers()?;
            Ok(vec![ceiling::servers::measure(&servers, self.jobs).await?])
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct Kafka {
    /// Events, each of 200 bytes.
    #[arg(long, default_value_t = 600_000)]
    events: usize,
    #[command(flatten)]
    at: Addresses,
}

impl Kafka {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        super::print(2, async {
            ceiling::kafka::measure(self.at.kafka()?, self.events).await
        })
    }
}
