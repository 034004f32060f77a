//! A channel of six shards under load, while their hash slots move between the masters.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use polling_model::{Clock, JobId, SystemClock};
use scheduler_lib::store::{Place, RedisStore, ShardedStore, SlotStore};
use tokio::time::sleep;

use super::{Cluster, moving::Move};
use crate::{
    accepted::Accepted,
    fixture::sweep,
    live::{self, Live},
};

/// Two on each master.
const SHARDS: usize = 6;

/// Each is due every second.
const JOBS: usize = 300;

/// How often each shard moves.
const ROUNDS: usize = 4;

/// A shard answers again within this time after its slot has arrived.
const RECOVERY: Duration = Duration::from_secs(1);

/// Each shard is looked at: the store as a whole goes on where one of them fails.
type Store = ShardedStore<Accepted<RedisStore>>;

struct Scene {
    cluster: Cluster,
    store: Arc<Store>,
    slots: Vec<u16>,
    live: Live,
}

impl Scene {
    async fn start() -> Self {
        let cluster = Cluster::start().await;
        let builder = live::builder(&cluster.url()).shards(SHARDS);
        let opened = builder.open(SystemClock.now_ms()).await;
        let opened = opened.expect("the store opens");
        let mut slots = Vec::new();
        for shard in opened.shards() {
            slots.push(cluster.slot(shard.prefix()).await);
        }
        let shards = opened.shards().cloned();
        let shards = shards.map(|shard| Arc::new(Accepted::on(shard)));
        let store = Arc::new(ShardedStore::new(shards.collect()));
        let mut live = Live::on(store.clone());
        live.register(JOBS).await;
        Self {
            cluster,
            store,
            slots,
            live,
        }
    }

    /// Moves a shard to the next master under load; how long it did not answer after that.
    async fn move_on(&self, shard: usize) -> Duration {
        let slot = self.slots[shard];
        let to = (self.cluster.owner(slot).await + 1) % 3;
        let moving = Move::begin(&self.cluster, slot, to).await;
        while moving.some(8).await {
            // Steps come between.
            sleep(Duration::from_millis(5)).await;
        }
        moving.end().await;
        let arrived = Instant::now();
        let store = &self.store.shards().nth(shard).expect("a shard").store;
        while let Err(error) = store.counts().await {
            assert!(arrived.elapsed() < RECOVERY, "{shard}: {error}");
        }
        arrived.elapsed()
    }

    async fn ids(&self) -> BTreeSet<JobId> {
        let (mut ids, mut from) = (BTreeSet::new(), None);
        loop {
            let page = self.store.list(from.as_ref(), 1_000).await.expect("list");
            for record in page.records {
                let held = matches!(record.state.place, Place::Held(_));
                assert!(!held, "nobody holds a job: {record:?}");
                ids.insert(record.id);
            }
            from = page.next;
            if from.is_none() {
                return ids;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
#[expect(clippy::print_stdout, reason = "how long a move is felt is the figure")]
async fn shards_whose_slots_move_under_load_lose_and_fork_no_job() {
    let scene = Scene::start().await;
    let registered = scene.ids().await;
    assert_eq!(registered.len(), JOBS);
    let mut longest = Duration::ZERO;
    for _ in 0..ROUNDS {
        for shard in 0..SHARDS {
            longest = longest.max(scene.move_on(shard).await);
        }
        // Every job, wherever its shard is.
        scene.live.each_is_polled(|_| true).await;
    }
    assert_eq!(scene.ids().await, registered, "0 lost");
    // What steps left half-way while their keys were moving is mended, once.
    let mended = sweep(&*scene.store, 1_000).await;
    assert_eq!(
        sweep(&*scene.store, 1_000).await,
        0,
        "nothing is left to mend"
    );
    let counts = scene.store.counts().await.expect("counts");
    let places = counts.slots + counts.in_flight + counts.later + counts.held;
    assert_eq!((counts.registered, places), (JOBS as u64, JOBS as u64));
    scene.live.each_is_polled(|_| true).await;
    scene.store.check().await.expect("every shard is well");

    let (mut accepted, mut errors) = (0, BTreeSet::new());
    for shard in scene.store.shards() {
        let seen = shard.seen();
        assert_eq!(seen.forks, [""; 0], "0 forked");
        accepted += seen.accepted;
        errors.extend(seen.errors.iter().cloned());
    }
    assert!(accepted > JOBS * ROUNDS, "{accepted}");
    // A machine that is busy with other things answers late, but never from the wrong node.
    let known = |error: &&String| {
        error.contains("is being moved to another node") || error.contains("timed out")
    };
    let others: Vec<_> = errors.iter().filter(|error| !known(error)).collect();
    assert!(others.is_empty(), "no other error: {others:?}");
    assert!(!errors.is_empty(), "steps met shards that were moving");
    println!(
        "{} moves, {} completions accepted, {mended} places mended, at most {longest:?} until a shard that arrived answered",
        ROUNDS * SHARDS,
        accepted,
    );
}
