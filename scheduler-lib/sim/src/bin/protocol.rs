//! Searches the protocol's model: the right protocol for any way to lose or fork a job, and known
//! mistakes for the shortest way in which each does.

use std::process::ExitCode;

use clap::Parser as _;
use cycle_sim::protocol::cli::Args;

fn main() -> anyhow::Result<ExitCode> {
    Args::parse().execute()
}
