//! The store in memory: the port's conformance suite, and going back to a snapshot.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use polling_model::{Context, Nonce, SlotRing};
use scheduler_lib::store::{MemoryStore, NewJob, SharedStore, SlotStore, conformance::START_MS};

async fn on_a_fresh_store(case: impl AsyncFnOnce(SharedStore)) {
    case(Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS))).await;
}

scheduler_lib::store_conformance! {
    #[tokio::test]
    on_a_fresh_store
}

#[tokio::test]
async fn a_restored_store_is_as_it_was_at_the_snapshot() {
    let store = MemoryStore::new(SlotRing::MINUTES, START_MS);
    let new = |id: &str| NewJob {
        id: id.parse().unwrap(),
        job_type: "posts".parse().unwrap(),
        account: "42".parse().unwrap(),
        level: "gold".parse().unwrap(),
        cushion: None,
        context: Context::new().encode().unwrap(),
        incarnation: Nonce(1),
        due: [START_MS; 2],
    };
    store.register(new("kept"), START_MS).await.unwrap();
    let snapshot = store.snapshot();
    store.register(new("forgotten"), START_MS).await.unwrap();
    store.remove(&"kept".parse().unwrap()).await.unwrap();
    store.restore(&snapshot);
    let jobs = store.list(None, 10).await.unwrap();
    assert_eq!(
        jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(),
        ["kept"]
    );
    assert_eq!(store.counts().await.unwrap().slots, 1);
}
