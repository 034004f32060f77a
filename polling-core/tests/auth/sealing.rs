//! Tokens encrypted in the cache.

use std::sync::Arc;

use polling_core::{
    AccountId, ErrorClass,
    auth::{FreshToken, Keyring, TokenSource as _, Tokens},
};

use crate::channel::Channel;

fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn sealed(channel: &Channel, keyring: Keyring) -> Tokens {
    let builder = channel.builder_on(Arc::clone(&channel.cache));
    builder.sealed(keyring).build().unwrap()
}

fn old() -> Keyring {
    Keyring::new("old", &[1; 32]).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_cache_holds_nothing_readable_and_keys_rotate() {
    let channel = Channel::paused();
    sealed(&channel, old()).get(&account("42")).await.unwrap();
    let cached = channel
        .cache
        .read(&channel.key("42"))
        .await
        .unwrap()
        .unwrap();
    for readable in ["access", "refresh-1"] {
        assert!(
            !cached
                .bytes
                .windows(readable.len())
                .any(|part| part == readable.as_bytes())
        );
    }
    let both = Keyring::new("new", &[2; 32])
        .unwrap()
        .with_key("old", &[1; 32])
        .unwrap();
    let token = sealed(&channel, both).get(&account("42")).await.unwrap();
    assert_eq!(token.expose(), "access-1");
}

#[tokio::test(start_paused = true)]
async fn a_token_moved_to_another_account_is_refused_and_not_refreshed() {
    let channel = Channel::paused();
    let worker = sealed(&channel, old());
    worker.get(&account("42")).await.unwrap();
    let cached = channel
        .cache
        .read(&channel.key("42"))
        .await
        .unwrap()
        .unwrap();
    channel
        .cache
        .put(&channel.key("43"), &cached.bytes)
        .await
        .unwrap();
    let error = worker.get(&account("43")).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Invalid);
    assert!(error.message().contains("moved from elsewhere"), "{error}");
    assert_eq!(channel.endpoint.calls(), 1);
    worker
        .put(&account("43"), FreshToken::new("anew"))
        .await
        .unwrap();
    assert_eq!(worker.get(&account("43")).await.unwrap().expose(), "anew");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_sealed_is_refused_unless_that_is_allowed() {
    let channel = Channel::paused();
    channel.worker().get(&account("42")).await.unwrap();
    let error = sealed(&channel, old())
        .get(&account("42"))
        .await
        .unwrap_err();
    assert!(error.message().contains("it is not sealed"), "{error}");
    let moving = sealed(&channel, old().taking_unsealed());
    assert_eq!(
        moving.get(&account("42")).await.unwrap().expose(),
        "access-1"
    );
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_the_key_says_so_and_overwrites_nothing() {
    let channel = Channel::paused();
    sealed(&channel, old()).get(&account("42")).await.unwrap();
    let before = channel.cache.read(&channel.key("42")).await.unwrap();
    let error = channel.worker().get(&account("42")).await.unwrap_err();
    assert!(error.message().contains("it is sealed"), "{error}");
    assert_eq!(
        channel.cache.read(&channel.key("42")).await.unwrap(),
        before
    );
}
