//! A user with the rights that the book gives it, and no other.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use polling_model::{AccountId, Clock, ServiceLevel, SystemClock};
use scheduler_lib::{
    ledger::{Claim, Cushion, Ledger, Limit, RedisLedger, Request},
    levels::{CachedLevels, LevelsError, ServiceLevels},
    store::{RedisStore, SharedStore, SlotStore, StoreError, conformance::START_MS},
};

use crate::{
    fixture::{at, channel, new_job, request},
    own_server::OwnServer,
};

const PAGE: &str = include_str!("../../../docs/how-to/shards.md");

/// The commands of the page that begin with these words, for another channel.
fn rights(words: &str, channel: &str) -> String {
    let line = PAGE.lines().find_map(|line| line.strip_prefix("> "));
    let line = line.filter(|line| line.starts_with(words));
    let line = line.unwrap_or_else(|| panic!("the page has no line > {words}"));
    line.replace("mastodon", channel)
}

/// A server with the user of the page, for one channel.
async fn server(channel: &str) -> (OwnServer, String) {
    let server = OwnServer::start(&[]).await;
    let () = server
        .command(&rights("ACL SETUSER scheduler on", channel))
        .await;
    let url = format!("redis://scheduler:PASSWORD@127.0.0.1:{}/", server.port());
    (server, url)
}

async fn on_a_store(case: impl AsyncFnOnce(SharedStore)) {
    let channel = channel();
    let (_server, url) = server(channel.as_str()).await;
    let opened = RedisStore::builder(url, channel).max_skew(None).shards(3);
    case(Arc::new(
        opened.open(START_MS).await.expect("the store opens"),
    ))
    .await;
}

mod conformance {
    scheduler_lib::store_conformance! {
        #[tokio::test]
        #[ignore = "needs dev/services"]
        super::on_a_store
    }
}

#[derive(Debug)]
struct Gold;

#[async_trait]
impl ServiceLevels for Gold {
    async fn levels_of(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<Option<ServiceLevel>>, LevelsError> {
        let gold = "gold".parse().expect("a level");
        Ok(vec![Some(gold); accounts.len()])
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn ledger_and_levels_need_no_other_rights() {
    let channel = channel();
    let (_server, url) = server(channel.as_str()).await;
    let now_ms = SystemClock.now_ms();
    let ledger = RedisLedger::builder(&url, channel.clone()).build();
    let request = Request {
        claims: vec![Claim {
            scope: "app".parse().expect("a scope"),
            cushion: Cushion::Calls(0),
            limit: Some(Limit {
                calls: 7,
                window_ms: 86_400_000,
            }),
        }],
        worths: vec![1.0; 10],
        cost: 1,
        fill: false,
        turn_ms: 0,
    };
    let ledger = ledger.expect("an address");
    let granted = ledger.reserve(std::slice::from_ref(&request), now_ms).await;
    assert_eq!(granted.expect("reserve")[0].calls, 7);

    let levels = CachedLevels::builder(&url, channel, Arc::new(Gold), Arc::new(SystemClock));
    let levels = levels.build().expect("an address");
    let account = "42".parse().expect("an account");
    for _ in 0..2 {
        let found = levels.levels_of(std::slice::from_ref(&account)).await;
        assert!(found.expect("levels")[0].is_some());
    }
    assert_eq!(levels.counts().fresh, 1);
    levels.forget(&account).await.expect("forget");
}

/// Registrations that wait for replicas, too.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn waiting_for_replicas_needs_no_other_rights() {
    let channel = channel();
    let (server, url) = server(channel.as_str()).await;
    let replica = OwnServer::start(&[]).await;
    replica.follow(&server).await;
    let builder = RedisStore::builder(url, channel).max_skew(None);
    let builder = builder.wait_replicas(1, Duration::from_secs(5));
    let store = builder.open(START_MS).await.expect("the store opens");
    store
        .register(vec![new_job("a", 3)], at(0))
        .await
        .expect("register");
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_right_that_is_missing_is_told() {
    let channel = channel();
    let (server, url) = server(channel.as_str()).await;
    let builder = || RedisStore::builder(&url, channel.clone()).max_skew(None);
    let store = builder().open(START_MS).await.expect("the store opens");
    let told = |error: StoreError| {
        assert!(matches!(error, StoreError::Forbidden { .. }), "{error:?}");
        let text = error.to_string();
        assert!(!text.contains("PASSWORD"), "{text}");
        text
    };
    let () = server.command("ACL SETUSER scheduler -@sortedset").await;
    let error = told(
        store
            .drain(request(at(3), 1))
            .await
            .expect_err("no sorted sets"),
    );
    assert!(
        error.contains("drain: the store at 127.0.0.1") && error.contains("ACL LOG"),
        "{error}"
    );
    let log: String = format!("{:?}", server.command::<redis::Value>("ACL LOG 1").await);
    assert!(
        log.contains("zrangebyscore") || log.contains("zcard"),
        "it names the command: {log}"
    );
    let () = server
        .command("ACL SETUSER scheduler +@sortedset -evalsha")
        .await;
    let error = told(store.counts().await.expect_err("no scripts"));
    assert!(error.contains("evalsha"), "{error}");
    let () = server
        .command("ACL SETUSER scheduler +evalsha resetkeys ~other:*")
        .await;
    told(store.counts().await.expect_err("no keys"));
    let other = RedisStore::builder(url.replace("PASSWORD", "WRONG"), channel.clone());
    let refused = other.open(START_MS).await.expect_err("another password");
    let chain = polling_model::chain(&refused);
    assert!(
        chain.contains("WRONGPASS") || chain.contains("uthentication"),
        "{chain}"
    );
    assert!(
        !chain.contains("WRONG/") && !chain.contains(":WRONG@"),
        "{chain}"
    );
}
