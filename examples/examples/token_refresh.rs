//! Four workers, one account, a token endpoint whose refresh tokens are good once: however many
//! polls ask, one refresh is under way; an outage of the endpoint is one call in each cool-down.
//!
//! ```console
//! $ cargo run -p examples --example token_refresh
//! ```
//!
//! Here the workers share a cache in memory; with `RedisTokenCache` they are processes anywhere.

// A program's output.
#![allow(clippy::print_stdout)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use polling_core::{
    AccountId, SystemClock,
    auth::{
        Credentials, FreshToken, MemoryTokenCache, RefreshError, TokenEndpoint, TokenSource,
        Tokens, TokensConfig,
    },
};
use tokio::{task::JoinSet, time::sleep};

/// Gives `access 1`, `access 2` …, each for ten seconds.
#[derive(Default)]
struct Endpoint {
    issued: Mutex<u32>,
    is_down: AtomicBool,
}

impl TokenEndpoint for Endpoint {
    async fn refresh(
        &self,
        account: &AccountId,
        current: Option<&Credentials>,
    ) -> Result<FreshToken, RefreshError> {
        println!("  endpoint: a refresh for account {account}");
        sleep(Duration::from_millis(200)).await;
        if self.is_down.load(SeqCst) {
            return Err(RefreshError::unavailable("HTTP status 503"));
        }
        let mut issued = self.issued.lock().expect("nothing panics while it is held");
        let refresh = current.and_then(|current| current.refresh.as_ref());
        if refresh.is_some_and(|refresh| refresh.expose() != issued.to_string()) {
            return Err(RefreshError::refused("invalid_grant"));
        }
        *issued += 1;
        let fresh = FreshToken::new(format!("access {issued}")).with_refresh(issued.to_string());
        Ok(fresh.expires_in(Duration::from_secs(10)))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let endpoint = Arc::new(Endpoint::default());
    let cache = Arc::new(MemoryTokenCache::new(Arc::new(SystemClock)));
    let config = TokensConfig {
        cool_down: (Duration::from_secs(1), Duration::from_secs(8)),
        ..TokensConfig::default()
    };
    let mut workers = Vec::new();
    for _ in 0..4 {
        let tokens = Tokens::builder("demo".parse()?, Arc::clone(&endpoint));
        workers.push(tokens.cache(cache.clone()).config(config.clone()).build()?);
    }
    println!("12 s in which each of four workers asks five times a second:");
    ask(&workers, 60).await?;
    println!("and 6 s in which the endpoint is down, once the token has ended:");
    endpoint.is_down.store(true, SeqCst);
    ask(&workers, 30).await
}

/// Asks in all workers at once, so many times, and prints what changes.
async fn ask(workers: &[Tokens], times: u32) -> anyhow::Result<()> {
    let account: AccountId = "42".parse()?;
    let mut last = String::new();
    for _ in 0..times {
        let mut asking = JoinSet::new();
        for tokens in workers {
            let (tokens, account) = (tokens.clone(), account.clone());
            asking.spawn(async move { tokens.get(&account).await });
        }
        while let Some(answer) = asking.join_next().await {
            let now = match answer? {
                Ok(token) => format!("all use {}", token.expose()),
                Err(error) => error.to_string(),
            };
            if now != last {
                println!("  workers:  {now}");
                last = now;
            }
        }
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}
