//! The command line of `measure`.

use std::{
    io::{Write, stdout},
    time::Duration,
};

use anyhow::Context as _;
use benches::{
    cycle::{self, Load},
    figure::Figure,
};
use clap::{Args, Parser, Subcommand};
use polling_model::Topic;

/// Measures what the SDK can do; each figure is a line of JSON on standard output.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The full cycle over adapters in memory, wire format on.
    Cycle(Cycle),
}

#[derive(Debug, Args)]
struct Cycle {
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

impl Arguments {
    pub(crate) fn execute(self) -> anyhow::Result<()> {
        match self.part {
            Part::Cycle(cycle) => cycle.measure(),
        }
    }
}

fn print(figure: &Figure) -> anyhow::Result<()> {
    writeln!(stdout().lock(), "{figure}").context("cannot print")
}

impl Cycle {
    fn measure(&self) -> anyhow::Result<()> {
        let load = Load {
            jobs: self.jobs,
            warm_up_at_most: Duration::from_secs(60),
            measured: Duration::from_secs(self.seconds),
            events: self.events,
            concurrency: self.concurrency,
            settlers: self.settlers,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.threads)
            .enable_all()
            .build()?;
        let topic = Topic::new("posts")?;
        let measuring = async {
            let ports = cycle::in_process(&topic);
            cycle::run("cycle/in-process", &load, &ports, &topic).await
        };
        print(&runtime.block_on(measuring)?)
    }
}
