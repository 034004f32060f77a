//! `measure cycle`.

use std::time::Duration;

use benches::cycle::{self, Load};
use clap::Args;
use polling_model::Topic;

#[derive(Debug, Args)]
pub(super) struct Cycle {
    /// Registered jobs, each due every second: more than can be polled in one.
    #[arg(long, default_value_t = 400_000)]
    jobs: usize,
    /// Seconds that are counted.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Each poll brings an event.
    #[arg(long)]
    events: bool,
    /// Jobs that the worker polls at once.
    #[arg(long, default_value_t = 256)]
    concurrency: usize,
    /// Tasks that settle completions.
    #[arg(long, default_value_t = 2)]
    settlers: usize,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

impl Cycle {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        let load = Load {
            jobs: self.jobs,
            warm_up_at_most: Duration::from_secs(60),
            measured: Duration::from_secs(self.seconds),
            events: self.events,
            concurrency: self.concurrency,
            settlers: self.settlers,
        };
        let topic = Topic::new("posts")?;
        let name = match self.events {
            true => "cycle/in-process-with-events",
            false => "cycle/in-process",
        };
        super::print(self.threads, async {
            let ports = cycle::in_process(&topic);
            Ok(vec![cycle::run(name, &load, &ports, &topic).await?])
        })
    }
}
