//! `measure store`.

use benches::store::{Plan, memory};
use clap::Args;
use polling_model::{Clock as _, SystemClock};

#[derive(Debug, Args)]
pub(super) struct Store {
    /// Jobs in the store.
    #[arg(long, default_value_t = 1_000_000)]
    jobs: usize,
    /// Chunks of jobs under way at once.
    #[arg(long, default_value_t = 4)]
    tasks: usize,
    /// Rounds, on a Redis server: of the store, and of the very commands without it.
    #[cfg(feature = "redis")]
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The store on this Redis server, which has to be empty, is filled and emptied. Unless given,
    /// the store in memory.
    #[cfg(feature = "redis")]
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
}

impl Store {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        let plan = Plan::all(self.jobs, self.tasks, SystemClock.now_ms());
        #[cfg(feature = "redis")]
        if let Some(url) = &self.redis {
            return super::print(2, benches::store::redis::measure(url, &plan, self.rounds));
        }
        super::print(2, memory::measure(&plan))
    }
}
