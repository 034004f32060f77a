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
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::Instant,
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

/// A server on loopback that answers each command with `answer`, `PORT` in it being its own port;
/// or never if there is none.
async fn server_that_answers(answer: Option<String>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = answer.map(|answer| answer.replace("PORT", &address.port().to_string()));
    let url = format!("redis://{address}/");
    let serving = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            connections.spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    // Which begins a command.
                    let is_new = line.starts_with('*');
                    if let Some(answer) = answer.as_ref().filter(|_| is_new) {
                        write.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    (url, serving)
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn the_node_to_which_a_cluster_points_is_asked() {
    let named = redis::Client::open(url()).unwrap();
    let owner = named.get_connection_info().addr().to_string();
    let (node, _serving) = server_that_answers(Some(format!("-MOVED 42 {owner}\r\n"))).await;
    let (channel, fresh) = (channel(), Fresh::new());
    let cache = RedisTokenCache::open(&node).unwrap();
    let worker = channel.worker_on(Arc::new(cache.with_prefix(&fresh.prefix)));
    let accounts: Vec<_> = (0..20).map(|n| format!("{n}").parse().unwrap()).collect();
    for token in join_all(accounts.iter().map(|account| worker.get(account))).await {
        token.unwrap();
    }
    fresh.clear().await;
}

#[tokio::test]
async fn a_node_that_points_to_itself_is_an_error() {
    let (node, _serving) = server_that_answers(Some("-MOVED 42 :PORT\r\n".to_owned())).await;
    let worker = channel().worker_on(Arc::new(RedisTokenCache::open(&node).unwrap()));
    let error = worker.get(&"42".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "token_cache");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_costs_each_poll_a_step_at_most() {
    let (silent, _serving) = server_that_answers(None).await;
    let worker = channel().worker_on(Arc::new(RedisTokenCache::open(&silent).unwrap()));
    let accounts: Vec<_> = (0..20).map(|n| format!("{n}").parse().unwrap()).collect();
    let begin = Instant::now();
    for error in join_all(accounts.iter().map(|account| worker.get(account))).await {
        let error = error.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Transient);
        assert_eq!(error.code().unwrap().as_str(), "token_cache");
    }
    assert!(begin.elapsed() <= Duration::from_millis(5_100));
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
