//! The whole cycle in one process: scheduler, worker, queues, bus and a simulated channel, all in
//! memory, with one-second slots.
//!
//! ```console
//! $ cargo run -p examples --example quickstart
//! ```
//!
//! It prints the address of the scheduler's console, ends by itself, tells what happened, and fails if anything was lost.

mod accounts;
mod arrivals;
mod channel;
mod console;
mod stage;
mod summary;
mod tally;
mod view;

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use clap::Parser;

use crate::{console::Console, stage::Stage, summary::Summary, view::View};

/// The polling cycle, live: jobs go from their slot over the work queue to the worker, which polls
/// a simulated channel and publishes what it finds, and come back to a slot. The scheduler's console
/// shows it in a browser; `--for 600` leaves time to look around.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long to run, in seconds.
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// How many accounts the channel has.
    #[arg(long, value_name = "COUNT", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    accounts: u64,
    /// The seed of the simulated channel: the same seed gives the same accounts and posts.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Where the console listens; unless given, on a free port of loopback.
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:0",
        hide_default_value = true
    )]
    console: SocketAddr,
    /// Do without the console.
    #[arg(long, conflicts_with = "console")]
    no_console: bool,
    /// Print the summary as one JSON object on the last line.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let length = Duration::from_secs(arguments.seconds);
    let stage = Stage::build(arguments.accounts, arguments.seed)?;
    stage.register_all().await?;
    let console = match arguments.no_console {
        true => None,
        false => Some(Console::bind(arguments.console).await?),
    };
    if let Some(console) = &console {
        // Not among what is drawn anew, nor on the output that programs read.
        #[allow(clippy::print_stderr)]
        {
            eprintln!("\n  Look at it in a browser:\n  {}\n", console.link());
        }
    }
    let mut view = View::new(length);
    let run = stage.run(length, console, &mut view).await;
    view.finish();
    let summary = Summary::of(&stage, run?).await?;
    #[allow(clippy::print_stdout)]
    if arguments.json {
        println!("{}", summary.to_json());
    } else {
        println!("{}", summary.to_text());
    }
    Ok(if summary.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
