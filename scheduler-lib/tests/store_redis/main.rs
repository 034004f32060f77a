//! The store on Redis: the port's conformance suite, and what is its own.

mod accepted;
mod acl;
mod cluster;
mod differential;
mod fixture;
mod live;
mod losses;
mod opening;
mod own_server;
mod refusals;
mod repairs;
mod replicas;
mod sentinels;
mod server;
mod sharded;
#[cfg(feature = "redis-tls")]
mod tls;

use std::sync::Arc;

use scheduler_lib::store::SharedStore;

async fn on_a_fresh_store(case: impl AsyncFnOnce(SharedStore)) {
    fixture::on_a_fresh_shard(async |store, _| case(Arc::new(store)).await).await;
}

scheduler_lib::store_conformance! {
    #[tokio::test]
    #[ignore = "needs dev/services"]
    on_a_fresh_store
}
