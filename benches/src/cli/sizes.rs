//! `measure giant`, `measure growth` and `measure cluster`.

use benches::store::{Plan, cluster, giant, growth};
use clap::Args;
use polling_model::{Clock as _, SystemClock};

use super::addresses::Addresses;

#[derive(Debug, Args)]
pub(super) struct Giant {
    /// Jobs that are due at once.
    #[arg(long, default_value_t = 100_000)]
    jobs: usize,
    #[command(flatten)]
    at: Addresses,
}

impl Giant {
    /// On one thread: the other core is the server's.
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        let start_ms = SystemClock.now_ms();
        super::print(1, async {
            giant::measure(self.at.redis()?, self.jobs, start_ms).await
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct Growth {
    /// Registered jobs, one size after the other.
    #[arg(long, value_delimiter = ',', default_value = "100000,1000000,5000000")]
    jobs: Vec<usize>,
    /// Chunks of jobs under way at once.
    #[arg(long, default_value_t = 4)]
    tasks: usize,
    #[command(flatten)]
    at: Addresses,
}

impl Growth {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        let start_ms = SystemClock.now_ms();
        super::print(2, async {
            growth::measure(self.at.redis()?, &self.jobs, self.tasks, start_ms).await
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct Cluster {
    /// Jobs in the store.
    #[arg(long, default_value_t = 300_000)]
    jobs: usize,
    /// The masters, as host:port.
    #[arg(long, value_delimiter = ',', required = true)]
    nodes: Vec<String>,
}

impl Cluster {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        let plan = Plan::all(self.jobs, 8, SystemClock.now_ms());
        super::print(2, cluster::measure(&self.nodes, plan))
    }
}
