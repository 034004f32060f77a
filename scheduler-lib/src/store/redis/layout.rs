//! The layout key of a shard: what it is to be opened as.

use polling_model::Nonce;
use polling_transport::redis::link::Link;

use super::{
    RedisStoreBuilder,
    call::{call, failed},
    scripts,
};
use crate::store::StoreError;

/// The layout that this version writes. It reads no other.
const LAYOUT_VERSION: u32 = 4;

/// A layout key, and how many shards it is to tell.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) shards: usize,
}

/// Creates the layout of a shard if there is none, with the identity and the cursor given. Returns
/// the identity that it has.
pub(super) async fn open_layout(
    builder: &RedisStoreBuilder,
    link: &Link,
    key: &Key,
    fresh: Nonce,
    now_ms: i64,
) -> Result<Nonce, StoreError> {
    let cursor = builder.ring.current(now_ms).0;
    let own = [fresh.to_string(), cursor.to_string()];
    let identity = ask(builder, link, key, &own).await?;
    let unreadable = |_| key.wrong(link, "has no readable identity");
    identity.parse().map_err(unreadable)
}

/// Notes how many shards the channel has, or looks whether it has as many.
pub(super) async fn tell_shards(
    builder: &RedisStoreBuilder,
    link: &Link,
    key: &Key,
) -> Result<(), StoreError> {
    ask(builder, link, key, &[]).await.map(drop)
}

impl Key {
    fn wrong(&self, link: &Link, what: &str) -> StoreError {
        let Self { name, .. } = self;
        StoreError::Layout(format!(
            "the store under {name} at {} {what}",
            link.address()
        ))
    }
}

/// The identity, if all else is as it should be.
async fn ask(
    builder: &RedisStoreBuilder,
    link: &Link,
    key: &Key,
    own: &[String],
) -> Result<String, StoreError> {
    let mut command = call(&scripts::OPEN.script, &key.name);
    command
        .arg(LAYOUT_VERSION)
        .arg(builder.ring.width_ms())
        .arg(builder.channel.as_str())
        .arg(key.shards)
        .arg(own);
    let answer = link.eval(&scripts::OPEN.script, &command).await;
    let found: [String; 5] = answer.map_err(|error| failed("open", link, error))?;
    let [version, width_ms, channel, shards, identity] = found;
    let is_expected = check_version(&version)
        .and_then(|()| check_shards(&shards, key.shards))
        .and_then(|()| check_rest(builder, &width_ms, &channel));
    match is_expected {
        Ok(()) => Ok(identity),
        Err(what) => Err(key.wrong(link, &what)),
    }
}

fn check_version(version: &str) -> Result<(), String> {
    if version.is_empty() {
        return Err("has an incomplete layout key: it is no store of ours".to_owned());
    }
    if version.parse() != Ok(LAYOUT_VERSION) {
        return Err(format!(
            "has layout version {version}, this program knows {LAYOUT_VERSION}: run the version that wrote it, or newer"
        ));
    }
    Ok(())
}

fn check_shards(shards: &str, expected: usize) -> Result<(), String> {
    if shards.parse() == Ok(expected) {
        return Ok(());
    }
    Err(format!(
        "was created with {shards} shards, not {expected}: configure as many. To move its jobs to another number, export them, and import them into a new store"
    ))
}

fn check_rest(builder: &RedisStoreBuilder, width_ms: &str, channel: &str) -> Result<(), String> {
    let expected_ms = builder.ring.width_ms();
    if width_ms.parse() != Ok(expected_ms) {
        return Err(format!(
            "has slots of {width_ms} ms, not {expected_ms} ms: configure the width it was created with"
        ));
    }
    if channel != builder.channel.as_str() {
        return Err(format!(
            "belongs to channel {channel}, not {}",
            builder.channel
        ));
    }
    Ok(())
}
