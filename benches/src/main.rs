//! Measures one promise, or several, and prints each figure as a line of JSON.

mod cli;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use clap::Parser as _;

fn main() -> anyhow::Result<()> {
    cli::Arguments::parse().execute()
}
