//! Opening, and losing, a store.

use std::time::Duration;

use polling_model::{Clock, SlotRing, SystemClock};
use redis::AsyncCommands;
use scheduler_lib::store::{RedisStore, SlotStore, StoreError, conformance::START_MS};

use crate::fixture::{at, builder, channel, clear, id, new_job, on_a_fresh_shard, raw, request};

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_store_opened_again_is_the_same() {
    let channel = channel();
    let first = builder(&channel).open(START_MS).await.expect("open");
    first
        .register(vec![new_job("a", 3)], at(0))
        .await
        .expect("register");
    first.drain(request(at(2), 1)).await.expect("drain");
    let second = builder(&channel).open(at(50)).await.expect("open");
    assert_eq!(second.identity(), first.identity());
    let counts = second.counts().await.expect("counts");
    assert_eq!(
        (counts.registered, counts.cursor),
        (1, second.ring().current(at(2)).0)
    );
    clear(&channel).await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn channels_do_not_see_each_other() {
    let channels = [channel(), channel()];
    let first = builder(&channels[0]).open(START_MS).await.expect("open");
    let second = builder(&channels[1]).open(START_MS).await.expect("open");
    first
        .register(vec![new_job("a", 3)], at(0))
        .await
        .expect("register");
    assert_eq!(second.get(&id("a")).await.expect("get"), None);
    assert_ne!(first.identity(), second.identity());
    for channel in &channels {
        clear(channel).await;
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn another_width_or_a_newer_layout_is_refused() {
    let channel = channel();
    let store = builder(&channel).open(START_MS).await.expect("open");
    let error = builder(&channel)
        .ring(SlotRing::SECONDS)
        .open(START_MS)
        .await;
    let error = error.expect_err("the width differs").to_string();
    assert!(error.contains("slots of 60000 ms, not 1000 ms"), "{error}");
    let layout = format!("{}layout", store.prefix());
    raw()
        .await
        .hset::<_, _, _, ()>(&layout, "version", 5)
        .await
        .expect("HSET");
    let error = builder(&channel)
        .open(START_MS)
        .await
        .expect_err("it is newer")
        .to_string();
    assert!(error.contains("layout version 5"), "{error}");
    raw()
        .await
        .hset_multiple::<_, _, _, ()>(&layout, &[("version", "4"), ("channel", "other")])
        .await
        .expect("HSET");
    let error = builder(&channel)
        .open(START_MS)
        .await
        .expect_err("another's")
        .to_string();
    assert!(error.contains("belongs to channel other"), "{error}");
    clear(&channel).await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_wiped_store_is_an_error_and_not_a_store_without_jobs() {
    on_a_fresh_shard(async |store, mut raw| {
        store
            .register(vec![new_job("a", 3)], at(0))
            .await
            .expect("register");
        let layout = format!("{}layout", store.prefix());
        raw.del::<_, ()>(&layout).await.expect("DEL");
        let id = id("a");
        let refusals = [
            store.counts().await.err(),
            store.get(&id).await.err(),
            store.load(std::slice::from_ref(&id)).await.err(),
            store.register(vec![new_job("b", 3)], at(0)).await.err(),
            store.drain(request(at(3), 1)).await.err(),
            store.sweep(None, 10).await.err(),
            store.remove(&id).await.err(),
        ];
        for refusal in refusals {
            assert!(
                matches!(refusal, Some(StoreError::Wiped { ref key, .. }) if *key == layout),
                "{refusal:?}"
            );
        }
        // Somebody else starts anew; this one keeps out.
        raw.hset_multiple::<_, _, _, ()>(
            &layout,
            &[
                ("identity", "00000000000000aa"),
                ("width_ms", "60000"),
                ("cursor", "1"),
            ],
        )
        .await
        .expect("HSET");
        assert!(matches!(
            store.counts().await,
            Err(StoreError::Wiped { .. })
        ));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_clock_far_from_the_servers_is_refused() {
    let channel = channel();
    let now_ms = SystemClock.now_ms();
    let store = builder(&channel)
        .max_skew(Some(Duration::from_secs(5)))
        .open(now_ms)
        .await;
    let store = store.expect("open");
    store
        .drain(request(now_ms, 1))
        .await
        .expect("the clocks agree");
    for ahead_ms in [60_000, -60_000] {
        match store.drain(request(now_ms + ahead_ms, 1)).await {
            Err(StoreError::ClockSkew {
                skew_ms,
                limit_ms: 5_000,
            }) => {
                assert!((skew_ms - ahead_ms).abs() < 5_000, "{skew_ms}");
            }
            other => panic!("refused, not {other:?}"),
        }
    }
    let hours_ahead_ms = now_ms + 3 * 3_600_000;
    let reaped = store.reap(hours_ahead_ms, 10, hours_ahead_ms).await;
    assert!(
        matches!(reaped, Err(StoreError::ClockSkew { .. })),
        "{reaped:?}"
    );
    let cursor = store.counts().await.expect("counts").cursor;
    assert_eq!(cursor, store.ring().current(now_ms).0);
    clear(&channel).await;
}

#[tokio::test]
async fn an_unreachable_server_is_named_without_credentials() {
    let url = "redis://user:canary@127.0.0.1:1/";
    let opened = RedisStore::builder(url, channel()).open(START_MS).await;
    let error = opened.expect_err("nothing listens on port 1");
    assert!(matches!(error, StoreError::Unavailable { .. }));
    assert_eq!(
        error.to_string(),
        "open on the store at 127.0.0.1:1 failed; its outcome is unknown"
    );
    assert!(!format!("{error:?}").contains("canary"));
}

#[tokio::test]
async fn an_address_that_is_none_is_not_repeated() {
    let builder = RedisStore::builder("redis//user:canary@host", channel());
    assert!(!format!("{builder:?}").contains("canary"));
    let error = builder.open(START_MS).await.expect_err("it is no address");
    assert!(
        !format!("{error:?} {error}").contains("canary"),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("redis://host:port/database"),
        "{error}"
    );
}

#[cfg(feature = "redis-tls")]
#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_an_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("bind");
    let address = listener.local_addr().expect("an address");
    let peer = tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let opened = RedisStore::builder(format!("rediss://{address}/"), channel())
        .open(START_MS)
        .await;
    assert!(
        matches!(opened, Err(StoreError::Unavailable { .. })),
        "{opened:?}"
    );
    peer.abort();
}
