//! Broken on purpose: what the sweep finds, and what no step is misled by.

use redis::{AsyncCommands, aio::MultiplexedConnection};
use scheduler_lib::store::{Hold, Place, RedisStore, SlotStore};

use crate::fixture::{at, id, new_job, on_a_fresh_shard, request, sweep};

/// The key of the slot `minutes` after the beginning.
fn slot(store: &RedisStore, minutes: i64) -> String {
    format!(
        "{}slot:{}",
        store.prefix(),
        store.ring().slot_of(at(minutes)).index()
    )
}

/// The key of the hash that has the record of `name`.
async fn part_of(store: &RedisStore, raw: &mut MultiplexedConnection, name: &str) -> String {
    for part in 0..16 {
        let key = format!("{}jobs:{part}", store.prefix());
        if raw.hexists(&key, name).await.expect("HEXISTS") {
            return key;
        }
    }
    panic!("{name} is in no part");
}

async fn is_whole(store: &RedisStore) {
    let counts = store.counts().await.expect("counts");
    assert_eq!(
        counts.registered,
        counts.slots + counts.in_flight + counts.later + counts.held,
        "{counts:?}"
    );
    assert_eq!(sweep(store, 100).await, 0, "a second sweep finds nothing");
}

async fn register(store: &RedisStore, name: &str, minutes: i64) {
    store
        .register(vec![new_job(name, minutes)], at(0))
        .await
        .expect("register");
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_job_missing_from_a_slot_that_has_passed_is_placed_after_the_cursor() {
    on_a_fresh_shard(async |store, mut raw| {
        register(&store, "a", 3).await;
        raw.del::<_, ()>(slot(&store, 3)).await.expect("DEL");
        store.drain(request(at(9), 1)).await.expect("drain");
        assert_eq!(sweep(&store, 100).await, 1);
        let state = store
            .get(&id("a"))
            .await
            .expect("get")
            .expect("registered")
            .state;
        assert_eq!((state.place, state.due_ms), (Place::Slot, at(10)));
        is_whole(&store).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_second_slot_does_not_make_a_job_go_out_twice() {
    on_a_fresh_shard(async |store, mut raw| {
        register(&store, "a", 3).await;
        for minutes in [1, 3, 5] {
            let entered = raw.rpush::<_, _, ()>(slot(&store, minutes), "a").await;
            entered.expect("RPUSH");
        }
        assert_eq!(
            store
                .drain(request(at(1), 1))
                .await
                .expect("drain")
                .jobs
                .len(),
            0
        );
        assert_eq!(
            store
                .drain(request(at(3), 2))
                .await
                .expect("drain")
                .jobs
                .len(),
            1
        );
        assert_eq!(
            store
                .drain(request(at(5), 3))
                .await
                .expect("drain")
                .jobs
                .len(),
            0
        );
        is_whole(&store).await;
    })
    .await;
}

async fn orphan_everywhere(store: &RedisStore, raw: &mut MultiplexedConnection) {
    let prefix = store.prefix();
    let mut orphans = redis::pipe();
    orphans
        .rpush(slot(store, 7), "orphan")
        .sadd(format!("{prefix}held"), "orphan")
        .zadd(format!("{prefix}later"), "orphan", at(9_000))
        .sadd(format!("{prefix}lease:77"), "orphan")
        .zadd(format!("{prefix}leases"), 77, 77)
        .zadd(format!("{prefix}notes"), "00000000000000aa", at(5));
    orphans.exec_async(raw).await.expect("orphans");
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn entries_without_a_record_are_removed() {
    on_a_fresh_shard(async |store, mut raw| {
        register(&store, "a", 3).await;
        orphan_everywhere(&store, &mut raw).await;
        assert_eq!(sweep(&store, 3).await, 4);
        is_whole(&store).await;
        assert_eq!(store.counts().await.expect("counts").open_notes, 0);
        // A list gives up its entry as its slot is drained.
        for (nonce, jobs) in [(1, 1), (2, 0), (3, 0)] {
            let drained = store.drain(request(at(8), nonce)).await.expect("drain");
            assert_eq!(drained.jobs.len(), jobs);
        }
        assert!(
            !raw.exists::<_, bool>(slot(&store, 7))
                .await
                .expect("EXISTS")
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn every_place_is_mended_by_its_record() {
    on_a_fresh_shard(async |store, mut raw| {
        register(&store, "flown", 1).await;
        store.drain(request(at(1), 1)).await.expect("drain");
        register(&store, "later", 3_000).await;
        register(&store, "held", 2).await;
        store
            .hold(&id("held"), Hold::Paused, "by hand")
            .await
            .expect("hold");
        let prefix = store.prefix();
        let lease = store.ring().slot_of(at(11)).0;
        let mut losses = redis::pipe();
        losses
            .del(format!("{prefix}lease:{lease}"))
            .zrem(format!("{prefix}leases"), lease)
            .zadd(format!("{prefix}later"), "later", at(8_000))
            .srem(format!("{prefix}held"), "held");
        losses.exec_async(&mut raw).await.expect("losses");
        assert_eq!(sweep(&store, 100).await, 3);
        is_whole(&store).await;
        assert_eq!(store.reap(at(11), 10, at(11)).await.expect("reap"), 1);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn an_unreadable_record_is_held_and_stops_no_other() {
    on_a_fresh_shard(async |store, mut raw| {
        register(&store, "bad", 1).await;
        register(&store, "good", 1).await;
        let key = part_of(&store, &mut raw, "bad").await;
        let text: String = raw.hget(&key, "bad").await.expect("HGET");
        let worse = text.replace(" posts ", " p?sts ");
        assert_ne!(worse, text);
        raw.hset::<_, _, _, ()>(&key, "bad", worse)
            .await
            .expect("HSET");
        let drained = store.drain(request(at(1), 1)).await.expect("drain");
        assert_eq!(drained.jobs.len(), 1);
        assert_eq!(drained.jobs[0].record.id, id("good"));
        assert_eq!(store.counts().await.expect("counts").held, 1);
        let error = store
            .get(&id("bad"))
            .await
            .expect_err("it is unreadable")
            .to_string();
        assert!(
            error.contains("job bad") && error.contains("job type: "),
            "{error}"
        );
        is_whole(&store).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn what_is_no_record_at_all_is_left_to_a_hand() {
    on_a_fresh_shard(async |store, mut raw| {
        register(&store, "bad", 1).await;
        let key = part_of(&store, &mut raw, "bad").await;
        raw.hset::<_, _, _, ()>(&key, "bad", "nonsense")
            .await
            .expect("HSET");
        let drained = store.drain(request(at(1), 1)).await.expect("drain");
        assert!(drained.jobs.is_empty());
        assert_eq!(sweep(&store, 10).await, 0);
        let error = store.get(&id("bad")).await.expect_err("it is no record");
        assert!(error.to_string().contains("job bad"), "{error}");
        store.remove(&id("bad")).await.expect("remove");
        is_whole(&store).await;
    })
    .await;
}
