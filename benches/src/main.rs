//! Measures one promise, or several, and prints each figure as a line of JSON.

mod cli;

use clap::Parser as _;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    cli::Arguments::parse().execute()
}
