//! A Redis Cluster of three masters: the conformance suite, and slots that move to another node
//! under load.

mod halves;
mod moving;
mod shards;
mod shares;
mod tags;

use std::sync::{Arc, Weak};

use scheduler_lib::store::{RedisStore, SharedStore, conformance::START_MS};
use tokio::sync::Mutex;

use crate::{
    fixture::channel,
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

    /// The addresses of all nodes.
    fn url(&self) -> String {
        let nodes = self.nodes.iter();
        let hosts: Vec<_> = nodes
            .map(|node| format!("127.0.0.1:{}", node.port()))
            .collect();
        format!("redis://{}/", hosts.join(","))
    }

    /// The hash slot of what begins so.
    async fn slot(&self, prefix: &str) -> u16 {
        let keyslot = format!("CLUSTER KEYSLOT {prefix}layout");
        self.nodes[0].command(&keyslot).await
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

async fn shared() -> Arc<Cluster> {
    let mut shared = SHARED.lock().await;
    let cluster = match shared.upgrade() {
        Some(cluster) => cluster,
        None => Arc::new(Cluster::start().await),
    };
    *shared = Arc::downgrade(&cluster);
    cluster
}

async fn on_a_cluster(case: impl AsyncFnOnce(SharedStore)) {
    let cluster = shared().await;
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

async fn on_shards(case: impl AsyncFnOnce(SharedStore)) {
    let cluster = shared().await;
    let store = RedisStore::builder(cluster.nodes[0].url(), channel())
        .max_skew(None)
        .shards(6)
        .open(START_MS)
        .await
        .expect("the store opens");
    case(Arc::new(store)).await;
}

mod sharded_conformance {
    scheduler_lib::store_conformance! {
        #[tokio::test]
        #[ignore = "needs dev/services"]
        super::on_shards
    }
}
