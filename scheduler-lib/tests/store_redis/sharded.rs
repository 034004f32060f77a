//! A channel of several shards: the conformance suite, their number, and a server that is down.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use polling_model::{Clock, SystemClock};
use redis::AsyncCommands;
use scheduler_lib::store::{
    RedisStore, ShardedStore, SharedStore, SlotStore, StoreError, conformance::START_MS,
};

use crate::{
    fixture::{at, builder, channel, clear, new_job, request},
    live::{self, Live},
    own_server::{OwnServer, eventually},
};

async fn on_shards(shards: usize, case: impl AsyncFnOnce(SharedStore)) {
    let channel = channel();
    let store = builder(&channel).shards(shards).open(START_MS).await;
    case(Arc::new(store.expect("the store opens"))).await;
    clear(&channel).await;
}

async fn on_one_shard(case: impl AsyncFnOnce(SharedStore)) {
    on_shards(1, case).await;
}

async fn on_three_shards(case: impl AsyncFnOnce(SharedStore)) {
    on_shards(3, case).await;
}

mod one_shard {
    scheduler_lib::store_conformance! {
        #[tokio::test]
        #[ignore = "needs dev/services"]
        super::on_one_shard
    }
}

mod three_shards {
    scheduler_lib::store_conformance! {
        #[tokio::test]
        #[ignore = "needs dev/services"]
        super::on_three_shards
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_store_is_opened_only_with_the_shards_that_it_was_created_with() {
    for created in [1, 2, 3, 6] {
        let channel = channel();
        let opened = builder(&channel).shards(created).open(START_MS).await;
        let store = opened.expect("the store opens");
        store
            .register(vec![new_job("a", 3)], at(0))
            .await
            .expect("register");
        for other in [1, 2, 3, 6] {
            let opened = builder(&channel).shards(other).open(START_MS).await;
            if other == created {
                let counts = opened.expect("the same").counts().await.expect("counts");
                assert_eq!(counts.registered, 1);
                continue;
            }
            let error = opened.expect_err("another number").to_string();
            let words = format!(
                "was created with {created} shards, not {other}: configure as many. To move its jobs to another number, export them"
            );
            assert!(error.contains(&words), "{error}");
        }
        let single = builder(&channel).open(START_MS).await;
        assert_eq!(single.is_ok(), created == 1, "{single:?}");
        clear(&channel).await;
    }
}

#[tokio::test]
async fn a_number_of_shards_out_of_bounds_is_refused() {
    for shards in [0, 257] {
        let opened = RedisStore::builder("redis://127.0.0.1:1/", channel())
            .shards(shards)
            .open(START_MS)
            .await;
        let error = opened.expect_err("out of bounds").to_string();
        assert!(error.contains("1 to 256 shards"), "{error}");
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn each_shard_has_one_hash_slot_in_its_own_part_of_the_cluster() {
    let channel = channel();
    let opened = builder(&channel).shards(6).open(START_MS).await;
    let store = opened.expect("the store opens");
    // CLUSTER KEYSLOT wants a server in cluster mode.
    let node = OwnServer::start(&["--cluster-enabled", "yes"]).await;
    for (number, shard) in (0u32..).zip(store.shards()) {
        let prefix = shard.prefix();
        let slot: u32 = node.command(&format!("CLUSTER KEYSLOT {prefix}a")).await;
        assert_eq!(slot * 6 / 16_384, number, "{prefix} is in {slot}");
    }
    clear(&channel).await;
}

/// Two shards, each on a server of its own.
struct Two {
    servers: [OwnServer; 2],
    store: ShardedStore<RedisStore>,
}

impl Two {
    async fn start() -> Self {
        let servers = [OwnServer::start(&[]).await, OwnServer::start(&[]).await];
        let channel = channel();
        let mut shards = Vec::new();
        for server in &servers {
            let builder = RedisStore::builder(server.url(), channel.clone())
                .max_skew(None)
                .timeouts(Duration::from_millis(300), Duration::from_millis(300));
            shards.push(Arc::new(builder.open(START_MS).await.expect("open")));
        }
        let store = ShardedStore::new(shards);
        let jobs = (0..20).map(|number| new_job(&format!("job-{number}"), 1));
        store
            .register(jobs.collect(), at(0))
            .await
            .expect("register");
        Self { servers, store }
    }

    /// Drains once, and tells of which shards the jobs are.
    async fn drain(&self, now_ms: i64, nonce: u64) -> Result<BTreeSet<usize>, StoreError> {
        let drained = self.store.drain(request(now_ms, nonce)).await?;
        let jobs = drained.jobs.iter();
        Ok(jobs
            .map(|job| self.store.shard_of(&job.record.id))
            .collect())
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_shard_whose_server_is_down_stops_no_other_and_comes_back() {
    let mut two = Two::start().await;
    two.servers[1].kill();
    let drained = two.drain(at(1), 1).await.expect("one answers");
    assert_eq!(drained, BTreeSet::from([0]));
    let error = two.store.check().await.expect_err("one is down");
    let address = format!("127.0.0.1:{}", two.servers[1].port());
    assert!(error.to_string().contains(&address), "{error}");
    two.store.counts().await.expect_err("one is down");
    let reaped = two.store.reap(at(0), 10, at(1)).await;
    assert_eq!(reaped.expect("one answers"), 0);
    let claimed = two.store.claim_note(at(1), at(9)).await;
    assert_eq!(claimed.expect("one answers"), None);
    let mut swept = two.store.sweep(None, 1_000).await.expect("sweep");
    while let Some(next) = swept.next {
        swept = two.store.sweep(Some(next), 1_000).await.expect("sweep");
    }

    two.servers[1].start_again().await;
    let mut now_ms = at(1);
    eventually("the shard is drained again", async || {
        now_ms += 1_000;
        let drained = two.drain(now_ms, now_ms as u64).await;
        drained.expect("both answer").contains(&1)
    })
    .await;
    two.store.check().await.expect("both are well");
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn with_every_shard_down_a_step_fails_and_the_first_that_is_back_is_used() {
    let mut two = Two::start().await;
    two.servers.iter_mut().for_each(OwnServer::kill);
    for nonce in 1..5 {
        two.drain(at(1), nonce).await.expect_err("both are down");
    }
    two.store.claim_note(at(1), at(9)).await.expect_err("down");
    two.store.reap(at(0), 10, at(1)).await.expect_err("down");
    two.store.sweep(None, 10).await.expect_err("down");
    two.servers[0].start_again().await;
    let mut nonce = 10;
    eventually("the first is drained", async || {
        nonce += 1;
        let drained = two.drain(at(1), nonce).await;
        drained.is_ok_and(|shards| shards.contains(&0))
    })
    .await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn batches_over_shards_are_done_as_far_as_they_can_be() {
    let mut two = Two::start().await;
    let drained = two.store.drain(request(at(1), 1)).await.expect("drain");
    assert_eq!(drained.jobs.len(), 20);
    two.servers[1].kill();
    let ids: Vec<_> = drained
        .jobs
        .iter()
        .map(|job| job.record.id.clone())
        .collect();
    let note = drained.jobs[0].token.nonce;
    two.store.sent(note, &ids).await.expect_err("one is down");
    let notes: usize = two.servers[0]
        .raw()
        .await
        .zcard(format!(
            "{}notes",
            two.store.shards().next().expect("two").prefix()
        ))
        .await
        .expect("ZCARD");
    assert_eq!(notes, 0, "struck off where the server answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn a_scheduler_goes_on_with_the_shards_that_answer() {
    let mut servers = [OwnServer::start(&[]).await, OwnServer::start(&[]).await];
    let mut shards = Vec::new();
    for server in &servers {
        let opened = live::builder(&server.url())
            .open(SystemClock.now_ms())
            .await;
        shards.push(Arc::new(opened.expect("the store opens")));
    }
    let store = Arc::new(ShardedStore::new(shards));
    let mut live = Live::on(store.clone());
    live.register(20).await;
    live.each_is_polled(|_| true).await;
    servers[1].kill();
    for _ in 0..3 {
        live.each_is_polled(|id| store.shard_of(id) == 0).await;
    }
    live.says(&format!("127.0.0.1:{}", servers[1].port())).await;
    servers[1].start_again().await;
    live.each_is_polled(|_| true).await;
    assert_eq!(live.reason().await, None);
}
