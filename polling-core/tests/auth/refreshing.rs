//! One refresh for all, in time, by whoever is alive.

use std::time::Duration;

use futures_util::future::join_all;
use polling_core::{
    AccountId, ErrorClass,
    auth::{AccessToken, TokenSource as _, Tokens},
};
use tokio::time::{Instant, advance, sleep, timeout};

use crate::channel::{Answer, Channel, HOUR};

fn account() -> AccountId {
    "42".parse().unwrap()
}

async fn get(tokens: &Tokens) -> AccessToken {
    tokens.get(&account()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn fifty_workers_that_ask_for_an_expired_token_cause_one_refresh() {
    let channel = Channel::paused();
    channel.expired(&*channel.cache, "42").await;
    channel.endpoint.takes(Duration::from_secs(3));
    let workers: Vec<_> = (0..50).map(|_| channel.worker()).collect();
    // Two polls in each.
    let asking = workers.iter().chain(&workers);
    for token in join_all(asking.map(get)).await {
        assert_eq!(token.expose(), "access-1");
    }
    assert_eq!(channel.endpoint.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_asked_for_once_while_it_is_good() {
    let channel = Channel::paused();
    let worker = channel.worker();
    let begin = Instant::now();
    while begin.elapsed() < HOUR - Duration::from_secs(121) {
        assert_eq!(get(&worker).await.expose(), "access-1");
        advance(Duration::from_secs(60)).await;
    }
    assert_eq!(channel.endpoint.calls(), 1);
    advance(Duration::from_secs(120)).await;
    assert_eq!(get(&worker).await.expose(), "access-2");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_due_but_good_is_refreshed_in_the_background_by_one_worker() {
    let channel = Channel::paused();
    let workers: Vec<_> = (0..10).map(|_| channel.worker()).collect();
    join_all(workers.iter().map(get)).await;
    advance(HOUR - Duration::from_secs(30)).await;
    channel.endpoint.takes(Duration::from_secs(10));
    let begin = Instant::now();
    for token in join_all(workers.iter().map(get)).await {
        assert_eq!(token.expose(), "access-1");
    }
    assert_eq!(begin.elapsed(), Duration::ZERO, "nobody waits");
    sleep(Duration::from_secs(11)).await;
    // Those that did not refresh it find it when they look again.
    join_all(workers.iter().map(get)).await;
    sleep(Duration::from_secs(1)).await;
    for token in join_all(workers.iter().map(get)).await {
        assert_eq!(token.expose(), "access-2");
    }
    assert_eq!(channel.endpoint.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_finds_a_good_token_uses_it_though_its_refresh_hangs() {
    let channel = Channel::paused();
    get(&channel.worker()).await;
    advance(HOUR - Duration::from_secs(50)).await;
    channel.endpoint.takes(HOUR);
    assert_eq!(get(&channel.worker()).await.expose(), "access-1");
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_ends_early_does_not_cancel_the_refresh() {
    let channel = Channel::paused();
    channel.expired(&*channel.cache, "42").await;
    channel.endpoint.takes(Duration::from_secs(5));
    let worker = channel.worker();
    timeout(Duration::from_secs(1), get(&worker))
        .await
        .unwrap_err();
    assert!(worker.close(Duration::from_secs(10)).await);
    // The refresh token that was spent has a successor.
    assert_eq!(get(&channel.worker()).await.expose(), "access-1");
    assert_eq!(channel.endpoint.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_waits_no_longer_than_its_grace() {
    let channel = Channel::paused();
    channel.endpoint.takes(Duration::from_secs(5));
    let worker = channel.worker();
    timeout(Duration::from_secs(1), get(&worker))
        .await
        .unwrap_err();
    assert!(!worker.close(Duration::from_secs(2)).await);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_dies_in_a_refresh_is_waited_for_until_its_lease_ends() {
    let channel = Channel::paused();
    let key = channel.key("42");
    channel.expired(&*channel.cache, "42").await;
    let cached = channel.cache.read(&key).await.unwrap().unwrap();
    let dead = polling_core::auth::Attempt {
        seen: cached.version,
        owner: polling_core::model::Nonce(7),
    };
    let lease = Duration::from_secs(60);
    channel.cache.lease(&key, dead, lease).await.unwrap();
    let worker = channel.worker();
    let begin = Instant::now();
    let error = worker.get(&account()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient);
    assert_eq!(error.code().unwrap().as_str(), "token_wait");
    assert!(begin.elapsed() <= Duration::from_secs(16));
    advance(Duration::from_secs(46)).await;
    assert_eq!(get(&worker).await.expose(), "access-1");
}

#[tokio::test(start_paused = true)]
async fn a_short_lived_token_is_not_refreshed_for_each_poll() {
    let channel = Channel::paused();
    channel.endpoint.answers(Answer::Lasting(Duration::ZERO));
    let worker = channel.worker();
    for _ in 0..40 {
        let _ = worker.get(&account()).await;
        advance(Duration::from_secs(1)).await;
    }
    assert!(
        channel
            .endpoint
            .gaps_ms()
            .iter()
            .all(|gap_ms| *gap_ms >= 5_000)
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_that_came_together_do_not_go_together() {
    let channels: Vec<_> = (0..20).map(|_| Channel::paused()).collect();
    let workers: Vec<_> = channels.iter().map(Channel::worker).collect();
    join_all(workers.iter().map(get)).await;
    advance(HOUR - Duration::from_secs(90)).await;
    join_all(workers.iter().map(get)).await;
    sleep(Duration::from_secs(1)).await;
    let tokens = join_all(workers.iter().map(get)).await;
    let refreshed = tokens
        .iter()
        .filter(|token| token.expose() == "access-2")
        .count();
    assert!(
        (1..20).contains(&refreshed),
        "{refreshed} of 20 are half way"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_put_is_used_and_refreshed_from() {
    let channel = Channel::paused();
    let worker = channel.worker();
    let granted = polling_core::auth::FreshToken::new("granted").with_refresh("refresh-0");
    worker
        .put(&account(), granted.expires_in(HOUR))
        .await
        .unwrap();
    assert_eq!(get(&worker).await.expose(), "granted");
    advance(HOUR).await;
    assert_eq!(get(&channel.worker()).await.expose(), "access-1");
    worker.forget(&account()).await.unwrap();
    assert_eq!(channel.cache.read(&channel.key("42")).await.unwrap(), None);
}
