//! A worker for an API in the style of the Graph API: the feeds of pages. `poll.rs`, `tokens.rs`
//! and `api.rs` are what is particular to it; `docs/channels/graph-feed.md` is its page.

mod api;
#[cfg(test)]
mod fake;
mod poll;
#[cfg(test)]
mod tests;
mod tokens;

use std::{sync::Arc, time::Duration};

use clap::Parser;
use examples::worker::{self, WorkerOptions};
use polling_core::{
    SystemClock,
    auth::{RedisTokenCache, Secret, Tokens},
    http::{HttpClient, HttpConfig},
};

use crate::{
    api::{Api, page_usage},
    poll::Feeds,
    tokens::PageTokens,
};

/// How long a refresh that is under way when the worker ends may take.
const GRACE: Duration = Duration::from_secs(10);

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
    /// The token of a user who has a task on every page, of a system user best. It is asked for
    /// the pages' own tokens.
    #[arg(long, env = "GRAPH_USER_TOKEN", hide_env_values = true)]
    user_token: Secret,
    /// The Redis where the workers of this channel share those: redis://HOST:PORT/DB. Without it
    /// each worker keeps its own.
    #[arg(long, env = "TOKEN_REDIS_URL", hide_env_values = true)]
    token_redis: Option<Secret>,
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
    let http = HttpClient::new(config, page_usage(), Arc::new(SystemClock))?;
    let api = Api::new(http, &options.url);
    let endpoint = PageTokens::new(api.clone(), options.user_token);
    let mut tokens = Tokens::builder("graph".parse()?, endpoint);
    if let Some(url) = &options.token_redis {
        let cache = RedisTokenCache::open(url.expose())?;
        cache.check().await?;
        tokens = tokens.cache(Arc::new(cache));
    }
    let tokens = tokens.build()?;
    let topic = options.worker.topic.clone();
    let feeds = Feeds::new(api, Arc::new(tokens.clone()), topic);
    let ended = worker::run(options.worker, feeds).await;
    if !tokens.close(GRACE).await {
        tracing::warn!("ended with a token that is not stored: it will be asked for again");
    }
    ended
}
