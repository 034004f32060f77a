//! A worker for Mastodon: the public statuses of accounts. `poll.rs` is what is particular to it;
//! `docs/channels/mastodon.md` is its page.

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
    auth::Secret,
    http::{HttpClient, HttpConfig, dialect::Dialect},
};

use crate::poll::Statuses;

/// Polls the statuses of Mastodon accounts.
#[derive(Debug, Parser)]
struct Options {
    /// The server, such as https://mastodon.social.
    #[arg(long, env = "MASTODON_URL")]
    url: String,
    /// The access token of the application; without it a server may refuse, or give less.
    #[arg(long, env = "MASTODON_TOKEN", hide_env_values = true)]
    token: Option<Secret>,
    /// What the server sees as the caller: say who runs it and where to reach them.
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
    let http = HttpClient::new(config, Dialect::mastodon(), Arc::new(SystemClock))?;
    let topic = options.worker.topic.clone();
    worker::run(
        options.worker,
        Statuses::new(http, &options.url, options.token, topic),
    )
    .await
}
