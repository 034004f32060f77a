//! Shares a rate limit with another product, from the command line.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> anyhow::Result<ExitCode> {
    cli::Arguments::parse().execute()
}
