//! A worker for feeds: RSS, Atom and JSON Feed. `poll.rs` is what is particular to them;
//! `docs/channels/feeds.md` is its page.

#[cfg(test)]
mod fake;
mod poll;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use clap::Parser;
use examples::worker::{self, WorkerOptions};
use polling_core::{
    SystemClock,
    http::{HttpClient, HttpConfig, dialect::Dialect},
};

use crate::poll::Feeds;

/// Polls feeds.
#[derive(Debug, Parser)]
struct Options {
    /// What servers see as the caller: say who runs it and where to reach them.
    #[arg(long, env = "USER_AGENT")]
    user_agent: String,
    /// A host that may have a private address: a server of your own network.
    #[arg(long = "private-host", value_name = "HOST")]
    private_hosts: Vec<String>,
    #[command(flatten)]
    worker: WorkerOptions,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let config = HttpConfig {
        private_hosts: options.private_hosts,
        ..HttpConfig::new(options.user_agent)
    };
    let http = HttpClient::new(config, Dialect::common(), Arc::new(SystemClock))?;
    let topic = options.worker.topic.clone();
    worker::run(options.worker, Feeds::new(http, topic)).await
}
