//! A store of several shards: the port's conformance suite, and one store as its reference.
#![allow(clippy::unwrap_used)]

mod reference;

use std::sync::Arc;

use polling_model::SlotRing;
use scheduler_lib::store::{MemoryStore, ShardedStore, SharedStore, conformance::START_MS};

fn in_memory(shards: usize) -> ShardedStore<MemoryStore> {
    let shard = |_| Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS));
    ShardedStore::new((0..shards).map(shard).collect())
}

async fn on_one_shard(case: impl AsyncFnOnce(SharedStore)) {
    case(Arc::new(in_memory(1))).await;
}

async fn on_three_shards(case: impl AsyncFnOnce(SharedStore)) {
    case(Arc::new(in_memory(3))).await;
}

mod one_shard {
    scheduler_lib::store_conformance! {
        #[tokio::test]
        super::on_one_shard
    }
}

mod three_shards {
    scheduler_lib::store_conformance! {
        #[tokio::test]
        super::on_three_shards
    }
}
