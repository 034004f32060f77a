//! The scheduler service: reads its configuration, builds, runs, exits.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use polling_model::chain;
use scheduler::cli::Cli;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().execute().await {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to do if nobody reads it.
            let _ = writeln!(io::stderr(), "error: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
