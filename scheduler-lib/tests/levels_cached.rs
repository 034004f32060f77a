//! The cache of service levels: what it asks, what it remembers, what it serves when the source
//! fails.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use polling_model::{AccountId, ChannelId, Generator, ManualClock, ServiceLevel};
use redis::{AsyncCommands, aio::MultiplexedConnection};
use scheduler_lib::levels::{CacheCounts, CachedLevels, LevelsError, ServiceLevels};

const START_MS: i64 = 1_700_000_040_000;
const FRESH: Duration = Duration::from_secs(60);

/// Knows `gold` for every account but `nobody`; writes down what it is asked.
#[derive(Debug, Default)]
struct Source {
    asked: Mutex<Vec<Vec<String>>>,
    fails: AtomicBool,
    hangs: AtomicBool,
}

#[async_trait]
impl ServiceLevels for Source {
    async fn levels_of(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<Option<ServiceLevel>>, LevelsError> {
        let names = accounts.iter().map(ToString::to_string).collect();
        self.asked.lock().expect("no test panics in it").push(names);
        if self.hangs.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.fails.load(SeqCst) {
            return Err(LevelsError {
                from: "billing".to_owned(),
                source: "down".into(),
            });
        }
        let level_of = |account: &AccountId| (account.as_str() != "nobody").then(gold);
        Ok(accounts.iter().map(level_of).collect())
    }
}

fn gold() -> ServiceLevel {
    "gold".parse().expect("a valid level")
}

struct Scene {
    source: Arc<Source>,
    clock: ManualClock,
    channel: ChannelId,
    levels: CachedLevels,
}

fn url() -> String {
    std::env::var("POLLING_REDIS_URL").expect("POLLING_REDIS_URL names a Redis: see dev/services")
}

async fn raw() -> MultiplexedConnection {
    let client = redis::Client::open(url()).expect("POLLING_REDIS_URL is an address");
    let connection = client.get_multiplexed_async_connection().await;
    connection.expect("the Redis of POLLING_REDIS_URL answers")
}

impl Scene {
    fn new() -> Self {
        Self::at(url())
    }

    fn at(url: String) -> Self {
        let source = Arc::<Source>::default();
        let clock = ManualClock::at(START_MS);
        let channel: ChannelId = format!("test-{}", Generator::from_os().nonce())
            .parse()
            .expect("a valid channel");
        let levels = CachedLevels::builder(
            url,
            channel.clone(),
            source.clone(),
            Arc::new(clock.clone()),
        )
        .fresh_for(FRESH)
        .kept_for(Duration::from_secs(600))
        .source_deadline(Duration::from_millis(50))
        .source_pause(Duration::from_secs(5))
        .build()
        .expect("an address");
        Self {
            source,
            clock,
            channel,
            levels,
        }
    }

    async fn ask(&self, accounts: &[&str]) -> Vec<Option<ServiceLevel>> {
        let accounts: Vec<AccountId> = accounts
            .iter()
            .map(|one| one.parse().expect("a valid account"))
            .collect();
        self.levels
            .levels_of(&accounts)
            .await
            .expect("a cache never fails")
    }

    /// What the source was asked since the last time.
    fn asked(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.source.asked.lock().expect("no test panics in it"))
    }

    async fn clear(self) {
        let pattern = format!("polling:{{{}}}:level:*", self.channel);
        let mut connection = raw().await;
        let keys: Vec<String> = connection.keys(pattern).await.expect("KEYS");
        if !keys.is_empty() {
            connection.unlink::<_, ()>(keys).await.expect("UNLINK");
        }
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn what_was_asked_once_is_remembered_while_it_is_fresh() {
    let scene = Scene::new();
    assert_eq!(
        scene.ask(&["a", "nobody", "a"]).await,
        [Some(gold()), None, Some(gold())]
    );
    assert_eq!(
        scene.asked(),
        [["a", "nobody"]],
        "one question, each account once"
    );
    scene.clock.advance(FRESH - Duration::from_millis(1));
    assert_eq!(
        scene.ask(&["nobody", "a", "b"]).await,
        [None, Some(gold()), Some(gold())]
    );
    assert_eq!(
        scene.asked(),
        [["b"]],
        "that an account is unknown is remembered too"
    );
    scene.clock.advance(Duration::from_millis(1));
    scene.ask(&["a"]).await;
    assert_eq!(scene.asked(), [["a"]]);
    let counts = CacheCounts {
        fresh: 2,
        asked: 5,
        stale: 0,
        unanswered: 0,
    };
    assert_eq!(scene.levels.counts(), counts);
    scene.clear().await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_level_serves_beyond_its_time_while_the_source_fails() {
    let scene = Scene::new();
    scene.ask(&["a"]).await;
    scene.clock.advance(FRESH);
    scene.source.fails.store(true, SeqCst);
    assert_eq!(scene.ask(&["a", "b"]).await, [Some(gold()), None]);
    let counts = scene.levels.counts();
    assert_eq!((counts.stale, counts.unanswered), (1, 1));
    scene.asked();

    scene.source.fails.store(false, SeqCst);
    assert_eq!(scene.ask(&["b"]).await, [None]);
    assert!(
        scene.asked().is_empty(),
        "the source is left alone for a while"
    );
    scene.clock.advance(Duration::from_secs(5));
    assert_eq!(scene.ask(&["b"]).await, [Some(gold())]);
    scene.clear().await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_source_that_hangs_is_given_up() {
    let scene = Scene::new();
    scene.ask(&["a"]).await;
    scene.clock.advance(FRESH);
    scene.source.hangs.store(true, SeqCst);
    assert_eq!(scene.ask(&["a", "b"]).await, [Some(gold()), None]);
    scene.clear().await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_forgotten_account_is_asked_for_again() {
    let scene = Scene::new();
    scene.ask(&["a"]).await;
    scene
        .levels
        .forget(&"a".parse().unwrap())
        .await
        .expect("forget");
    scene.asked();
    scene.ask(&["a"]).await;
    assert_eq!(scene.asked(), [["a"]]);
    scene.clear().await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn entries_leave_redis_by_themselves() {
    let scene = Scene::new();
    scene.ask(&["a"]).await;
    let key = format!("polling:{{{}}}:level:a", scene.channel);
    let ttl_ms: i64 = raw().await.pttl(&key).await.expect("PTTL");
    assert!((600_000..=660_000).contains(&ttl_ms), "{ttl_ms}");
    raw()
        .await
        .set::<_, _, ()>(&key, "of another version")
        .await
        .expect("SET");
    scene.asked();
    assert_eq!(scene.ask(&["a"]).await, [Some(gold())]);
    assert_eq!(scene.asked().len(), 1);
    scene.clear().await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn many_accounts_are_asked_for_in_bounded_questions() {
    let scene = Scene::new();
    let names: Vec<String> = (0..450)
        .map(|number| format!("account-{number:03}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(scene.ask(&names).await, vec![Some(gold()); 450]);
    let mut sizes: Vec<usize> = scene.asked().iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 200, 200]);
    assert_eq!(scene.ask(&names).await, vec![Some(gold()); 450]);
    assert!(scene.asked().is_empty());
    scene.clear().await;
}

#[tokio::test]
async fn without_its_redis_the_cache_asks_the_source() {
    let scene = Scene::at("redis://user:canary@127.0.0.1:1/".to_owned());
    assert_eq!(scene.ask(&["a"]).await, [Some(gold())]);
    assert_eq!(scene.asked(), [["a"]]);
    assert!(scene.levels.forget(&"a".parse().unwrap()).await.is_err());
    assert!(!format!("{:?}", scene.levels).contains("canary"));
}
