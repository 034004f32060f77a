//! The console over a busy channel, everything in memory.
//!
//! ```console
//! $ cargo run -p scheduler-web --example console
//! ```
//!
//! Open the address that it prints. It holds a hundred thousand jobs, which simulated workers poll; a few of them fail, and
//! some break their worker. `--fast` turns the ring in 24 minutes instead of a day.

mod desk;
mod settings;
mod stage;
mod workers;

use std::net::{Ipv4Addr, SocketAddr};

use clap::Parser;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::stage::Stage;

/// The console over a busy channel, everything in memory.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where it listens on loopback; 0 takes a free port.
    #[arg(long, default_value_t = 7070)]
    port: u16,
    /// How many jobs the busy channel has.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    jobs: u32,
    /// Slots of a second instead of a minute: what takes a day takes 24 minutes.
    #[arg(long)]
    fast: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)));
    let listener = listener.await?;
    let address = listener.local_addr()?;
    let stage = Stage::build(arguments.fast)?;
    stage.register(arguments.jobs).await?;
    tell(address);
    let stop = CancellationToken::new();
    let ended = stop.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        ended.cancel();
    });
    stage.run(listener, stop).await
}

#[expect(
    clippy::print_stdout,
    reason = "whoever starts it reads where it listens"
)]
fn tell(address: SocketAddr) {
    let operator = stage::OPERATOR;
    println!("http://{address}/console/login#{operator}");
    println!("operator: {operator}   reader: {}", stage::READER);
}
