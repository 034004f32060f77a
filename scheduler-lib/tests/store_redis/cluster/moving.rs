//! A hash slot that moves to another node, key by key, as operators' tools do.

use std::time::Duration;

use redis::{Cmd, RedisError, Value};
use tokio::time::sleep;

use super::Cluster;
use crate::{fixture::sweep, live::Live, own_server::OwnServer};

/// One slot on its way.
pub(super) struct Move<'a> {
    cluster: &'a Cluster,
    pub(super) slot: u16,
    from: &'a OwnServer,
    pub(super) to: &'a OwnServer,
    target: String,
}

impl<'a> Move<'a> {
    /// Begins to move a slot from where it is to another node.
    pub(super) async fn begin(cluster: &'a Cluster, slot: u16, to: usize) -> Self {
        let from = &cluster.nodes[cluster.owner(slot).await];
        let to = &cluster.nodes[to];
        let source: String = from.command("CLUSTER MYID").await;
        let target: String = to.command("CLUSTER MYID").await;
        let () = to
            .command(&format!("CLUSTER SETSLOT {slot} IMPORTING {source}"))
            .await;
        let () = from
            .command(&format!("CLUSTER SETSLOT {slot} MIGRATING {target}"))
            .await;
        Self {
            cluster,
            slot,
            from,
            to,
            target,
        }
    }

    /// Moves some of the keys; false when there is none left.
    pub(super) async fn some(&self, keys: usize) -> bool {
        let slot = self.slot;
        let keys: Vec<String> = self
            .from
            .command(&format!("CLUSTER GETKEYSINSLOT {slot} {keys}"))
            .await;
        if keys.is_empty() {
            return false;
        }
        let moved = migrate(self.to, &keys)
            .query_async::<Value>(&mut self.from.raw().await)
            .await;
        // A step may have removed a key meanwhile, or all of them.
        moved.unwrap_or_else(|error: RedisError| panic!("{keys:?}: {error}"));
        true
    }

    /// Every key is there: the new node is the slot's owner.
    pub(super) async fn end(self) {
        let Self { slot, target, .. } = &self;
        for node in [self.to, self.from].into_iter().chain(&self.cluster.nodes) {
            let () = node
                .command(&format!("CLUSTER SETSLOT {slot} NODE {target}"))
                .await;
        }
    }
}

fn migrate(to: &OwnServer, keys: &[String]) -> Cmd {
    let mut migrate = redis::cmd("MIGRATE");
    migrate
        .arg("127.0.0.1")
        .arg(to.port())
        .arg("")
        .arg(0)
        .arg(5_000)
        .arg("KEYS")
        .arg(keys);
    migrate
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_store_whose_slot_moves_to_another_node_under_load_loses_no_job() {
    let cluster = Cluster::start().await;
    let live = Live::start(&cluster.url()).await;
    let slot = cluster.slot(&live.prefix).await;
    for _ in 0..3 {
        let to = (cluster.owner(slot).await + 1) % 3;
        let reasons = reshard(&cluster, &live, slot, to).await;
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
        live.assert_whole(&cluster.nodes[to]).await;
        assert_eq!(sweep(&*live.store, 100).await, 0, "nothing is left to mend");
    }
}

/// Moves a slot with pauses in which the scheduler goes on. Returns what readiness says meanwhile.
async fn reshard(cluster: &Cluster, live: &Live, slot: u16, to: usize) -> Vec<Option<String>> {
    let moving = Move::begin(cluster, slot, to).await;
    let mut reasons = Vec::new();
    while moving.some(2).await {
        sleep(Duration::from_millis(100)).await;
        reasons.push(live.reason().await);
    }
    moving.end().await;
    reasons
}
