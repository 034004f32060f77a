//! A channel to poll: an HTTP server on loopback with the part of Mastodon's API that a poller of
//! posts needs.
//!
//! ```text
//! cargo run -p examples --features demo --example fake_channel -- --log channel.jsonl
//! curl http://127.0.0.1:4040/api/v1/accounts/7/statuses?min_id=0
//! curl -H 'content-type: application/json' -d '{"posting":"start"}' http://127.0.0.1:4040/control
//! ```
//!
//! Accounts post by a schedule: a trace of real activity, or a seeded generator. Every response is
//! numbered and written to a log, one JSON object a line, before it is sent: what the log says
//! was offered is what must reach the event bus. The same seed gives the same posts, and the same
//! errors to each account's first, second, third call.

mod answer;
mod channel;
mod http;
mod log;
mod schedule;
mod windows;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Parser;

use crate::{answer::Errors, channel::Channel, http::App, schedule::Schedule};

/// A fake channel: an HTTP server with a Mastodon-like API that numbers every response.
#[derive(Debug, Parser)]
struct Options {
    /// Where to listen; port 0 takes a free one. The first line printed is the address.
    #[arg(long, default_value = "127.0.0.1:4040")]
    listen: SocketAddr,
    /// The file to which every response is appended, one JSON object a line.
    #[arg(long)]
    log: PathBuf,
    /// Accounts, numbered from 0.
    #[arg(long, default_value_t = 1_000)]
    accounts: u32,
    /// Posts come after this CSV file, `account,unix_seconds`, instead of the generator.
    #[arg(long)]
    trace: Option<PathBuf>,
    /// Posts of the generator, over all accounts.
    #[arg(long, default_value_t = 8_000, conflicts_with = "trace")]
    posts: usize,
    /// Seconds into which the whole schedule is pressed.
    #[arg(long, default_value_t = 60)]
    replay_s: u32,
    /// Seed of posts and errors.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Statuses a page holds at most.
    #[arg(long, default_value_t = 40)]
    page_limit: usize,
    /// Calls per account and window.
    #[arg(long, default_value_t = 300)]
    rate_limit: u32,
    /// Length of a rate limit's window, seconds.
    #[arg(long, default_value_t = 300)]
    rate_window_s: u32,
    /// Milliseconds between deciding an answer and sending it.
    #[arg(long, default_value_t = 20)]
    latency_ms: u64,
    #[command(flatten)]
    errors: Errors,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let schedule = match &options.trace {
        Some(path) => Schedule::of_trace(path, options.accounts, options.replay_s)?,
        None => Schedule::generate(
            options.seed,
            options.posts,
            options.accounts,
            options.replay_s,
        ),
    };
    let log = log::Log::create(&options.log)?;
    let app = App {
        channel: Arc::new(Channel::new(&options, schedule, log).into()),
        latency: Duration::from_millis(options.latency_ms),
    };
    let listener = tokio::net::TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    announce(listener.local_addr()?);
    axum::serve(listener, http::router(app))
        .with_graceful_shutdown(terminated())
        .await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "who starts the program reads it")]
fn announce(address: SocketAddr) {
    println!("http://{address}");
}

async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    tokio::select! {
        biased;
        _ = term.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
