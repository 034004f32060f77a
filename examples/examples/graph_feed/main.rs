//! A worker for an API in the style of the Graph API: the feeds of pages. `poll.rs` is what is
//! particular to it; `docs/channels/graph-feed.md` is its page.

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

/// Polls the feeds of pages.
#[derive(Debug, Parser)]
struct Options {
    /// The API's address, with its version.
    #[arg(
        long,
        env = "GRAPH_URL",
        default_value = "https://graph.facebook.com/v23.0"
    )]
    url: String,
    /// The access token.
    #[arg(long, env = "GRAPH_TOKEN", hide_env_values = true)]
    token: String,
    /// What the server sees as the caller: say who runs it and where to reach them.
    #[arg(long, env = "USER_AGENT")]
    user_agent: String,
    /// A host that may have a private address.
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
    let http = HttpClient::new(config, Dialect::graph(), Arc::new(SystemClock))?;
    let topic = options.worker.topic.clone();
    let feeds = Feeds::new(http, &options.url, options.token, topic);
    worker::run(options.worker, feeds).await
}
