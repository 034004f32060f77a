//! A worker for GitHub: the public events of users. `poll.rs` is what is particular to it;
//! `docs/channels/github-events.md` is its page.

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

use crate::poll::Events;

/// Polls the public events of GitHub users.
#[derive(Debug, Parser)]
struct Options {
    /// The API's address.
    #[arg(long, env = "GITHUB_API_URL", default_value = "https://api.github.com")]
    url: String,
    /// The access token; without it 60 calls an hour are allowed.
    #[arg(long, env = "GITHUB_TOKEN", hide_env_values = true)]
    token: Option<Secret>,
    /// What GitHub sees as the caller, which it demands: say who runs it and where to reach them.
    #[arg(long, env = "USER_AGENT")]
    user_agent: String,
    /// A host that may have a private address: a GitHub Enterprise Server of your own network.
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
    let http = HttpClient::new(config, Dialect::github(), Arc::new(SystemClock))?;
    let topic = options.worker.topic.clone();
    worker::run(
        options.worker,
        Events::new(http, &options.url, options.token, topic),
    )
    .await
}
