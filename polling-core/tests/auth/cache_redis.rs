//! The conformance suite over Redis, and many workers on one.

use std::{error::Error as _, sync::Arc, time::Duration};

use futures_util::future::join_all;
use polling_core::{
    ErrorClass, Generator, ManualClock, SystemClock,
    auth::{
        RedisTokenCache, TokenSource as _, TokensConfig,
        conformance::{Bench, START_MS},
    },
};

use crate::channel::{Answer, Channel};

fn url() -> String {
    std::env::var("POLLING_REDIS_URL").expect("POLLING_REDIS_URL names a Redis: see dev/services")
}

/// A cache whose keys no other test has.
pub(crate) struct Fresh {
    prefix: String,
}

impl Fresh {
    pub(crate) fn new() -> Self {
        let prefix = format!("test-polling-tokens-{}", Generator::from_os().nonce());
        Self { prefix }
    }

    pub(crate) fn cache(&self) -> RedisTokenCache {
        let cache = RedisTokenCache::open(&url()).unwrap();
        cache.with_prefix(&self.prefix)
    }

    /// Tokens are kept for ever.
    pub(crate) async fn clear(self) {
        let client = redis::Client::open(url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(format!("{}*", self.prefix))
            .query_async(&mut connection)
            .await
            .unwrap();
        for key in keys {
            let () = redis::cmd("DEL")
                .arg(key)
                .query_async(&mut connection)
                .await
                .unwrap();
        }
    }
}

async fn on_redis(case: impl AsyncFnOnce(Bench)) {
    let (clock, fresh) = (ManualClock::at(START_MS), Fresh::new());
    let cache = fresh.cache().with_clock(Arc::new(clock.clone()));
    let checked = cache.check().await;
    checked.expect("the Redis of POLLING_REDIS_URL answers, and evicts nothing");
    case(Bench::new(Arc::new(cache), clock)).await;
    fresh.clear().await;
}

mod conformance {
    polling_core::token_cache_conformance! {
        #[tokio::test]
        #[ignore = "needs dev/services"]
        super::on_redis
    }
}

/// Workers by the server's time, each with a connection of its own.
fn channel() -> Channel {
    let config = TokensConfig {
        cool_down: (Duration::from_millis(400), Duration::from_millis(400)),
        ..TokensConfig::default()
    };
    Channel::new(Arc::new(SystemClock)).with_config(config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn fifty_workers_on_redis_that_ask_for_an_expired_token_cause_one_refresh() {
    let channel = channel();
    let fresh = Fresh::new();
    channel.expired(&fresh.cache(), "42").await;
    channel.endpoint.takes(Duration::from_millis(200));
    let workers: Vec<_> = (0..50)
        .map(|_| channel.worker_on(Arc::new(fresh.cache())))
        .collect();
    let account = "42".parse().unwrap();
    let tokens = join_all(workers.iter().map(|worker| worker.get(&account))).await;
    for token in tokens {
        assert_eq!(token.unwrap().expose(), "access-1");
    }
    assert_eq!(channel.endpoint.calls(), 1);
    fresh.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn a_failing_endpoint_is_called_once_in_each_cool_down_by_all_workers_on_redis() {
    let channel = channel();
    let fresh = Fresh::new();
    channel.endpoint.answers(Answer::Down);
    // A first failure, after which the endpoint counts as failing.
    let first = channel.worker_on(Arc::new(fresh.cache()));
    first.get(&"first".parse().unwrap()).await.unwrap_err();
    let workers: Vec<_> = (0..50)
        .map(|_| channel.worker_on(Arc::new(fresh.cache())))
        .collect();
    let accounts: Vec<_> = (0..50).map(|n| format!("{n}").parse().unwrap()).collect();
    for _ in 0..8 {
        let asking = workers.iter().zip(&accounts);
        for refused in join_all(asking.map(|(worker, account)| worker.get(account))).await {
            refused.unwrap_err();
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let gaps = channel.endpoint.gaps_ms();
    assert!(!gaps.is_empty(), "it was tried again");
    assert!(gaps.iter().all(|gap_ms| *gap_ms >= 395), "{gaps:?}");
    fresh.clear().await;
}

#[tokio::test]
async fn a_server_that_is_away_is_an_error_that_shows_no_password() {
    // Nothing listens on port 1.
    let cache = RedisTokenCache::open("redis://user:hunter2@127.0.0.1:1/").unwrap();
    let worker = channel().worker_on(Arc::new(cache));
    let error = worker.get(&"42".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient);
    let shown = format!("{error} {error:?} {}", error.source().unwrap());
    assert!(
        shown.contains("token cache at 127.0.0.1:1 did not read"),
        "{shown}"
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}
