//! The command line of `measure`.

mod cycle;
mod small;
mod store;

use std::{
    future::Future,
    io::{Write, stdout},
};

use anyhow::Context as _;
use benches::figure::Figure;
use clap::{Parser, Subcommand};

/// Measures what the SDK can do; each figure is a line of JSON on standard output.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The full cycle over adapters in memory, wire format on.
    Cycle(cycle::Cycle),
    /// What a single job costs: the layers' overhead, a decision.
    Small(small::Small),
    /// A store by itself: all jobs registered, drained, settled.
    Store(store::Store),
}

impl Arguments {
    pub(crate) fn execute(self) -> anyhow::Result<()> {
        match self.part {
            Part::Cycle(cycle) => cycle.measure(),
            Part::Small(small) => small.measure(),
            Part::Store(store) => store.measure(),
        }
    }
}

/// Measures on `threads` threads, and prints the figures.
fn print(
    threads: usize,
    measuring: impl Future<Output = anyhow::Result<Vec<Figure>>>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?;
    print_all(&runtime.block_on(measuring)?)
}

fn print_all(figures: &[Figure]) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    for figure in figures {
        writeln!(out, "{figure}").context("cannot print")?;
    }
    Ok(())
}
