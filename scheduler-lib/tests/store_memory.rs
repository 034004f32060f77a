//! The store in memory under the port's conformance suite.

use std::sync::Arc;

use polling_model::SlotRing;
use scheduler_lib::store::{MemoryStore, SharedStore, conformance::START_MS};

async fn on_a_fresh_store(case: impl AsyncFnOnce(SharedStore)) {
    case(Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS))).await;
}

scheduler_lib::store_conformance! {
    #[tokio::test]
    on_a_fresh_store
}
