//! `measure worker`.

use benches::cycle;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Worker {
    /// Jobs that wait in a queue in memory.
    #[arg(long, default_value_t = 500_000)]
    jobs: usize,
    /// Jobs that the worker polls at once.
    #[arg(long, default_value_t = 256)]
    concurrency: usize,
    /// Jobs whose polls wait for an answer, while the worker's memory is looked at.
    #[arg(long, default_value_t = 10_000)]
    waiting: usize,
}

impl Worker {
    /// Memory first, as long as the allocator keeps none of what others have left.
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        super::print(2, async {
            let resident = cycle::resident(self.waiting).await?;
            let pump = cycle::pump(self.jobs, self.concurrency).await?;
            Ok(vec![pump, resident])
        })
    }
}
