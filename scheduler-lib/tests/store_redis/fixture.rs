//! A shard of its own for each test, on the server that the environment names.

use std::time::Duration;

use polling_model::{ChannelId, Generator, JobId, Nonce};
use redis::{AsyncCommands, aio::MultiplexedConnection};
use scheduler_lib::store::{
    DrainRequest, NewJob, RedisStore, RedisStoreBuilder, SlotStore, conformance::START_MS,
};

pub(crate) const MINUTE_MS: i64 = 60_000;

pub(crate) fn url() -> String {
    std::env::var("POLLING_REDIS_URL").expect("POLLING_REDIS_URL names a Redis: see dev/services")
}

/// A channel that no other test has.
pub(crate) fn channel() -> ChannelId {
    let text = format!("test-{}", Generator::from_os().nonce());
    text.parse().expect("a valid channel")
}

/// A store with a clock moved by hand.
pub(crate) fn builder(channel: &ChannelId) -> RedisStoreBuilder {
    RedisStore::builder(url(), channel.clone()).max_skew(None)
}

pub(crate) async fn raw() -> MultiplexedConnection {
    let client = redis::Client::open(url()).expect("POLLING_REDIS_URL is an address");
    // The library's half a second is too short for a machine that builds at the same time.
    let patient =
        redis::AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(20)));
    let connection = client
        .get_multiplexed_async_connection_with_config(&patient)
        .await;
    connection.expect("the Redis of POLLING_REDIS_URL answers")
}

/// Runs a case on an empty store and a connection of its own, then removes its keys. A failed case
/// leaves them to be looked at.
pub(crate) async fn on_a_fresh_shard(case: impl AsyncFnOnce(RedisStore, MultiplexedConnection)) {
    let channel = channel();
    let store = builder(&channel)
        .open(START_MS)
        .await
        .expect("the store opens");
    case(store, raw().await).await;
    clear(&channel).await;
}

/// Removes all keys of a channel.
pub(crate) async fn clear(channel: &ChannelId) {
    let mut connection = raw().await;
    let mut found = Vec::<String>::new();
    let mut keys = connection
        .scan_match(format!("polling:{{{channel}*"))
        .await
        .expect("SCAN");
    while let Some(key) = keys.next_item().await {
        found.push(key.expect("a key"));
    }
    drop(keys);
    for chunk in found.chunks(500) {
        connection.unlink::<_, ()>(chunk).await.expect("UNLINK");
    }
}

pub(crate) fn id(text: &str) -> JobId {
    text.parse().expect("a valid id")
}

/// The start of the minute `minutes` after the beginning.
pub(crate) fn at(minutes: i64) -> i64 {
    START_MS + minutes * MINUTE_MS
}

pub(crate) fn new_job(name: &str, minutes: i64) -> NewJob {
    NewJob {
        id: id(name),
        job_type: "posts".parse().expect("a valid job type"),
        account: "42".parse().expect("a valid account"),
        level: "basic".parse().expect("a valid level"),
        cushion: None,
        context: Default::default(),
        incarnation: Nonce(1),
        due: [at(minutes); 2],
    }
}

pub(crate) fn request(now_ms: i64, nonce: u64) -> DrainRequest {
    DrainRequest {
        pace_ms: 0,
        now_ms,
        limit: 200,
        nonce: Nonce(nonce),
        note_deadline_ms: now_ms + MINUTE_MS,
        max_open_notes: 1_000,
        deadlines_ms: Default::default(),
        default_deadline_ms: now_ms + 10 * MINUTE_MS,
    }
}

/// Sweeps all there is; how many places were mended.
pub(crate) async fn sweep(store: &dyn SlotStore, limit: usize) -> usize {
    let (mut repaired, mut from) = (0, None);
    loop {
        let swept = store.sweep(from, limit).await.expect("sweep");
        repaired += swept.repaired;
        from = swept.next;
        if from.is_none() {
            return repaired;
        }
    }
}
