//! A Redis Cluster of three masters: the conformance suite, and a slot that moves to another node
//! under load.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use scheduler_lib::store::{RedisStore, SharedStore, conformance::START_MS};
use tokio::{sync::Mutex, time::sleep};

use crate::{
    fixture::{channel, sweep},
    live::Live,
    own_server::{OwnServer, eventually},
};

const SLOTS: u16 = 16_384;

struct Cluster {
    nodes: Vec<OwnServer>,
}

impl Cluster {
    async fn start() -> Self {
        let mut nodes = Vec::new();
        for _ in 0..3 {
            nodes.push(OwnServer::start(&["--cluster-enabled", "yes"]).await);
        }
        let share = SLOTS.div_ceil(3);
        for (number, node) in (0u16..).zip(&nodes) {
            let (first, last) = (number * share, ((number + 1) * share).min(SLOTS) - 1);
            let () = node
                .command(&format!("CLUSTER ADDSLOTSRANGE {first} {last}"))
                .await;
            let () = node
                .command(&format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1))
                .await;
            let () = node
                .command(&format!("CLUSTER MEET 127.0.0.1 {}", nodes[0].port()))
                .await;
        }
        for node in &nodes {
            eventually("the nodes know each other", async || {
                let info: String = node.command("CLUSTER INFO").await;
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            })
            .await;
        }
        Self { nodes }
    }

    /// The node that serves a slot, by number.
    async fn owner(&self, slot: u16) -> usize {
        for (number, node) in self.nodes.iter().enumerate() {
            let count = redis::cmd("CLUSTER")
                .arg("COUNTKEYSINSLOT")
                .arg(slot)
                .to_owned();
            let keys: u64 = count
                .query_async(&mut node.raw().await)
                .await
                .expect("COUNTKEYSINSLOT");
            if keys > 0 {
                return number;
            }
        }
        panic!("no node has keys of slot {slot}");
    }
}

/// One cluster for the tests that run at the same time.
static SHARED: Mutex<Weak<Cluster>> = Mutex::const_new(Weak::new());

async fn on_a_cluster(case: impl AsyncFnOnce(SharedStore)) {
    let cluster = {
        let mut shared = SHARED.lock().await;
        let cluster = match shared.upgrade() {
            Some(cluster) => cluster,
            None => Arc::new(Cluster::start().await),
        };
        *shared = Arc::downgrade(&cluster);
        cluster
    };
    // Two in three channels belong to another node than the one named.
    let store = RedisStore::builder(cluster.nodes[0].url(), channel())
        .max_skew(None)
        .open(START_MS)
        .await
        .expect("the store opens");
    case(Arc::new(store)).await;
}

mod conformance {
    scheduler_lib::store_conformance! {
        #[tokio::test]
        #[ignore = "needs dev/services"]
        super::on_a_cluster
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_store_whose_slot_moves_to_another_node_under_load_loses_no_job() {
    let cluster = Cluster::start().await;
    let (first, second) = (&cluster.nodes[0], &cluster.nodes[1]);
    let named = format!(
        "redis://127.0.0.1:{},127.0.0.1:{}/",
        first.port(),
        second.port()
    );
    let live = Live::start(&named).await;
    let slot: u16 = first
        .command(&format!("CLUSTER KEYSLOT {}layout", live.store.prefix()))
        .await;
    for _ in 0..3 {
        let owner = cluster.owner(slot).await;
        let (from, to) = (&cluster.nodes[owner], &cluster.nodes[(owner + 1) % 3]);
        let reasons = reshard(&cluster, &live, slot, from, to).await;
        assert!(
            reasons
                .iter()
                .flatten()
                .all(|reason| reason.contains("is being moved to another node")),
            "{reasons:?}"
        );
        assert_ne!(
            reasons.last(),
            Some(&None),
            "its layout key had left: {reasons:?}"
        );
        live.polls_go_on().await;
        // What a step left half-way while its keys were moving is mended, once.
        sweep(&*live.store, 100).await;
        live.assert_whole(to).await;
        assert_eq!(sweep(&*live.store, 100).await, 0, "nothing is left to mend");
    }
}

/// Moves a slot as operators' tools do, key by key, with pauses in which the scheduler goes on.
/// Returns what readiness says meanwhile.
async fn reshard(
    cluster: &Cluster,
    live: &Live,
    slot: u16,
    from: &OwnServer,
    to: &OwnServer,
) -> Vec<Option<String>> {
    let source: String = from.command("CLUSTER MYID").await;
    let target: String = to.command("CLUSTER MYID").await;
    let () = to
        .command(&format!("CLUSTER SETSLOT {slot} IMPORTING {source}"))
        .await;
    let () = from
        .command(&format!("CLUSTER SETSLOT {slot} MIGRATING {target}"))
        .await;
    let mut reasons = Vec::new();
    loop {
        let keys: Vec<String> = from
            .command(&format!("CLUSTER GETKEYSINSLOT {slot} 2"))
            .await;
        if keys.is_empty() {
            break;
        }
        let mut migrate = redis::cmd("MIGRATE");
        migrate
            .arg("127.0.0.1")
            .arg(to.port())
            .arg("")
            .arg(0)
            .arg(5_000)
            .arg("KEYS")
            .arg(keys);
        let () = migrate
            .query_async(&mut from.raw().await)
            .await
            .expect("no key is on both");
        sleep(Duration::from_millis(100)).await;
        reasons.push(live.reason().await);
    }
    for node in [to, from].into_iter().chain(&cluster.nodes) {
        let () = node
            .command(&format!("CLUSTER SETSLOT {slot} NODE {target}"))
            .await;
    }
    reasons
}
