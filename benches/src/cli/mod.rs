//! The command line of `measure`.

mod cycle;
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
    /// A store by itself: all jobs registered, drained, settled.
    Store(store::Store),
}

impl Arguments {
    pub(crate) fn execute(self) -> anyhow::Result<()> {
        match self.part {
            Part::Cycle(cycle) => cycle.measure(),
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
    for figure in runtime.block_on(measuring)? {
        writeln!(stdout().lock(), "{figure}").context("cannot print")?;
    }
    Ok(())
}
