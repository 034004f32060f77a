//! Replays policies over traces from the command line.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> anyhow::Result<ExitCode> {
    cli::Arguments::parse().execute()
}
