//! A fresh token is stored before anybody gets it, whatever the cache does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use polling_core::{
    AccountId, ErrorClass,
    auth::{
        Attempt, CacheError, CachedToken, CoolDown, FreshToken, Lease, SharedTokenCache, Stored,
        TokenCache, TokenKey, TokenSource as _, Tokens, Version,
    },
};
use tokio::time::{advance, sleep};

use crate::channel::{Answer, Channel, HOUR};

fn account() -> AccountId {
    "42".parse().unwrap()
}

/// Passes on what it is asked, and fails when it is told to.
#[derive(Debug)]
struct Shaky {
    inner: SharedTokenCache,
    is_away: AtomicBool,
    /// So many stores are done without an answer.
    stores_unanswered: AtomicUsize,
    /// So many stores are not done.
    stores_refused: AtomicUsize,
    /// Reads find what is there at once, and tell it a second later.
    reads_slowly: AtomicBool,
    leases_slowly: AtomicBool,
    puts_refused: AtomicUsize,
    leases: AtomicUsize,
    /// So many leases are granted without an answer.
    leases_unanswered: AtomicUsize,
    /// Whoever wants a lease is told that the token has changed.
    never_leases: AtomicBool,
}

impl Shaky {
    fn over(channel: &Channel) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(&channel.cache),
            is_away: AtomicBool::new(false),
            stores_unanswered: AtomicUsize::new(0),
            stores_refused: AtomicUsize::new(0),
            reads_slowly: AtomicBool::new(false),
            leases_slowly: AtomicBool::new(false),
            puts_refused: AtomicUsize::new(0),
            leases: AtomicUsize::new(0),
            leases_unanswered: AtomicUsize::new(0),
            never_leases: AtomicBool::new(false),
        })
    }

    async fn takes_a_second(&self, slowly: &AtomicBool) {
        if slowly.load(SeqCst) {
            sleep(Duration::from_secs(1)).await;
        }
    }

    fn reached(&self, step: &'static str) -> Result<(), CacheError> {
        match self.is_away.load(SeqCst) {
            true => Err(CacheError::new("shaky", step, "away")),
            false => Ok(()),
        }
    }
}

fn takes_one(left: &AtomicUsize) -> bool {
    let less = |left: usize| left.checked_sub(1);
    left.fetch_update(SeqCst, SeqCst, less).is_ok()
}

#[async_trait]
impl TokenCache for Shaky {
    async fn read(&self, key: &TokenKey) -> Result<Option<CachedToken>, CacheError> {
        self.reached("read")?;
        let found = self.inner.read(key).await;
        self.takes_a_second(&self.reads_slowly).await;
        found
    }

    async fn lease(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        life: Duration,
    ) -> Result<Lease, CacheError> {
        self.reached("lease")?;
        self.leases.fetch_add(1, SeqCst);
        if self.never_leases.load(SeqCst) {
            return Ok(Lease::Changed);
        }
        let lease = self.inner.lease(key, attempt, life).await;
        self.takes_a_second(&self.leases_slowly).await;
        if takes_one(&self.leases_unanswered) {
            return Err(CacheError::new("shaky", "lease", "granted, but not told"));
        }
        lease
    }

    async fn store(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        token: &[u8],
    ) -> Result<Stored, CacheError> {
        if takes_one(&self.stores_refused) {
            return Err(CacheError::new("shaky", "store", "not done"));
        }
        let stored = self.inner.store(key, attempt, token).await;
        if takes_one(&self.stores_unanswered) {
            return Err(CacheError::new(
                "shaky",
                "store",
                "done, but the answer was lost",
            ));
        }
        stored
    }

    async fn fail(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        cool_down: CoolDown,
    ) -> Result<(), CacheError> {
        self.reached("fail")?;
        self.inner.fail(key, attempt, cool_down).await
    }

    async fn put(&self, key: &TokenKey, token: &[u8]) -> Result<Version, CacheError> {
        if takes_one(&self.puts_refused) {
            return Err(CacheError::new("shaky", "put", "not done"));
        }
        self.inner.put(key, token).await
    }

    async fn forget(&self, key: &TokenKey) -> Result<(), CacheError> {
        self.inner.forget(key).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_whose_answer_was_lost_is_repeated_without_harm() {
    let channel = Channel::paused();
    channel.expired(&*channel.cache, "42").await;
    let cache = Shaky::over(&channel);
    cache.stores_unanswered.store(3, SeqCst);
    let worker = channel.worker_on(cache);
    assert_eq!(worker.get(&account()).await.unwrap().expose(), "access-1");
    assert_eq!(
        channel.worker().get(&account()).await.unwrap().expose(),
        "access-1"
    );
    assert_eq!(channel.endpoint.calls(), 1);
}

/// A worker whose account's token has expired, and whose cache takes no new one until told to.
async fn refusing_to_store() -> (Channel, Arc<Shaky>, Tokens) {
    let channel = Channel::paused();
    channel.expired(&*channel.cache, "42").await;
    let cache = Shaky::over(&channel);
    cache.stores_refused.store(usize::MAX, SeqCst);
    let worker = channel.worker_on(cache.clone());
    (channel, cache, worker)
}

/// Longer than the pause between two attempts to store.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn a_token_that_the_cache_does_not_take_is_given_to_nobody_and_stored_as_soon_as_it_does() {
    let (channel, cache, worker) = refusing_to_store().await;
    for _ in 0..2 {
        let error = worker.get(&account()).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Transient);
        assert_eq!(error.code().unwrap().as_str(), "token_wait");
    }
    cache.stores_refused.store(0, SeqCst);
    // Though nobody asks this worker again: its refresh token is the only good one.
    sleep(SOON).await;
    assert_eq!(
        channel.worker().get(&account()).await.unwrap().expose(),
        "access-1"
    );
    assert_eq!(channel.endpoint.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_another_worker_was_refused_meanwhile_does_not_last() {
    let (channel, cache, holder) = refusing_to_store().await;
    let other = channel.worker();
    holder.get(&account()).await.unwrap_err();
    sleep(Duration::from_secs(61)).await;
    // Its lease is over, and the refresh token that the cache has is spent.
    let error = other.get(&account()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Unauthorized);
    cache.stores_refused.store(0, SeqCst);
    sleep(SOON).await;
    assert_eq!(holder.get(&account()).await.unwrap().expose(), "access-1");
    assert_eq!(other.get(&account()).await.unwrap().expose(), "access-1");
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_grant_was_lost_is_asked_for_again_without_harm() {
    let channel = Channel::paused();
    channel.expired(&*channel.cache, "42").await;
    let cache = Shaky::over(&channel);
    cache.leases_unanswered.store(2, SeqCst);
    let worker = channel.worker_on(cache);
    assert_eq!(worker.get(&account()).await.unwrap().expose(), "access-1");
}

#[tokio::test(start_paused = true)]
async fn a_slow_refresh_takes_over_the_token_that_overtook_it() {
    let channel = Channel::paused();
    channel.endpoint.answers(Answer::Down);
    channel.endpoint.takes(Duration::from_secs(10));
    let worker = channel.worker();
    let slow = tokio::spawn({
        let worker = worker.clone();
        async move { worker.get(&account()).await }
    });
    sleep(Duration::from_secs(1)).await;
    let newer = FreshToken::new("newer");
    channel.worker().put(&account(), newer).await.unwrap();
    assert_eq!(slow.await.unwrap().unwrap().expose(), "newer");
}

#[tokio::test(start_paused = true)]
async fn while_the_cache_is_away_tokens_at_hand_are_used() {
    let channel = Channel::paused();
    let cache = Shaky::over(&channel);
    let worker = channel.worker_on(cache.clone());
    worker.get(&account()).await.unwrap();
    cache.is_away.store(true, SeqCst);
    advance(HOUR - Duration::from_secs(30)).await;
    assert_eq!(worker.get(&account()).await.unwrap().expose(), "access-1");
    advance(Duration::from_secs(30)).await;
    let error = worker.get(&account()).await.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "token_cache");
    assert_eq!(
        channel.endpoint.calls(),
        1,
        "nothing is refreshed that cannot be stored"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_put_is_used_though_the_one_before_was_just_being_read() {
    let channel = Channel::paused();
    let before = FreshToken::new("before");
    channel.worker().put(&account(), before).await.unwrap();
    let cache = Shaky::over(&channel);
    let worker = channel.worker_on(cache.clone());
    cache.reads_slowly.store(true, SeqCst);
    let reading = tokio::spawn({
        let worker = worker.clone();
        async move { worker.get(&account()).await }
    });
    sleep(Duration::from_millis(500)).await;
    let after = FreshToken::new("after");
    worker.put(&account(), after).await.unwrap();
    reading.await.unwrap().unwrap();
    assert_eq!(worker.get(&account()).await.unwrap().expose(), "after");
}

#[tokio::test(start_paused = true)]
async fn a_put_that_fails_throws_no_token_away() {
    let (channel, cache, worker) = refusing_to_store().await;
    worker.get(&account()).await.unwrap_err();
    cache.puts_refused.store(1, SeqCst);
    let other = FreshToken::new("other");
    worker.put(&account(), other).await.unwrap_err();
    cache.stores_refused.store(0, SeqCst);
    // The other is not known to be there, and what the cache has is spent.
    assert_eq!(worker.get(&account()).await.unwrap().expose(), "access-1");
    assert_eq!(channel.endpoint.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_waits_until_the_cache_has_taken_every_token() {
    let (channel, cache, worker) = refusing_to_store().await;
    worker.get(&account()).await.unwrap_err();
    let (closed, ()) = tokio::join!(worker.close(Duration::from_secs(30)), async {
        sleep(Duration::from_secs(20)).await;
        cache.stores_refused.store(0, SeqCst);
    });
    assert!(closed);
    assert_eq!(
        channel.worker().get(&account()).await.unwrap().expose(),
        "access-1"
    );
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_a_refresh_that_is_about_to_begin_and_then_none_begins() {
    let channel = Channel::paused();
    channel.expired(&*channel.cache, "42").await;
    let cache = Shaky::over(&channel);
    cache.leases_slowly.store(true, SeqCst);
    let worker = channel.worker_on(cache.clone());
    let account = account();
    let poll = tokio::time::timeout(Duration::from_millis(500), worker.get(&account));
    poll.await.unwrap_err();
    assert!(worker.close(Duration::from_secs(10)).await);
    assert_eq!(channel.endpoint.calls(), 1);
    assert_eq!(
        channel.worker().get(&account).await.unwrap().expose(),
        "access-1"
    );
    let other = "43".parse().unwrap();
    let error = worker.get(&other).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Interrupted);
    assert_eq!(channel.endpoint.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_says_that_a_token_is_not_stored() {
    let channel = Channel::paused();
    channel.expired(&*channel.cache, "42").await;
    let cache = Shaky::over(&channel);
    cache.stores_refused.store(usize::MAX, SeqCst);
    let worker = channel.worker_on(cache);
    worker.get(&account()).await.unwrap_err();
    assert!(!worker.close(Duration::from_secs(30)).await);
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_contradicts_itself_is_not_asked_without_pause() {
    let channel = Channel::paused();
    let cache = Shaky::over(&channel);
    cache.never_leases.store(true, SeqCst);
    let worker = channel.worker_on(cache.clone());
    let error = worker.get(&account()).await.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "token_wait");
    let leases = cache.leases.load(SeqCst);
    assert!(leases < 200, "{leases} in 15 s");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_newer_version_is_left_to_newer_workers() {
    let channel = Channel::paused();
    // In a form of which this version knows nothing but where its number stands.
    let newer = br#"{"v":2,"tokens":{"access":"a","refresh":"r"}}"#;
    channel.cache.put(&channel.key("42"), newer).await.unwrap();
    let error = channel.worker().get(&account()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient);
    assert!(error.message().contains("version 2"), "{error}");
    let kept = channel.cache.read(&channel.key("42")).await.unwrap();
    assert_eq!(kept.unwrap().bytes, newer);
    assert_eq!(channel.endpoint.calls(), 0);
}
