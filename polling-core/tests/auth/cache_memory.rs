//! The conformance suite over the cache in memory, and its bound.

use std::sync::Arc;

use polling_core::{
    ManualClock,
    auth::{
        MemoryTokenCache, TokenCache as _, TokenKey,
        conformance::{Bench, START_MS},
    },
};

async fn in_memory(case: impl AsyncFnOnce(Bench)) {
    let clock = ManualClock::at(START_MS);
    let cache = Arc::new(MemoryTokenCache::new(Arc::new(clock.clone())));
    case(Bench::new(cache, clock)).await;
}

polling_core::token_cache_conformance! {
    #[tokio::test]
    in_memory
}

#[tokio::test]
async fn a_full_cache_takes_no_further_account_and_drops_none() {
    let clock = ManualClock::at(START_MS);
    let cache = MemoryTokenCache::new(Arc::new(clock)).with_capacity(2);
    let key = |account: &str| TokenKey {
        channel: "mastodon".parse().unwrap(),
        account: account.parse().unwrap(),
    };
    for account in ["a", "b"] {
        cache.put(&key(account), b"token").await.unwrap();
    }
    let error = cache.put(&key("c"), b"token").await.unwrap_err();
    assert_eq!(
        error.source.to_string(),
        "it holds 2 accounts, as many as it may"
    );
    cache.put(&key("a"), b"again").await.unwrap();
    cache.forget(&key("b")).await.unwrap();
    cache.put(&key("c"), b"token").await.unwrap();
}
