//! A metered store: the port's conformance suite as it is, and what is reported.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use polling_model::{Observation, SlotRing};
use polling_transport::Metered;
use scheduler_lib::store::{
    ListCursor, MemoryStore, SharedStore, SlotStore, conformance::START_MS,
};

async fn on_a_fresh_store(case: impl AsyncFnOnce(SharedStore)) {
    let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS));
    case(Arc::new(Metered::new(store, "mastodon", Arc::new(())))).await;
}

scheduler_lib::store_conformance! {
    #[tokio::test]
    on_a_fresh_store
}

#[tokio::test]
async fn each_step_is_reported_with_its_error() {
    let reported = Arc::new(Mutex::new(Vec::new()));
    let report = Arc::clone(&reported);
    let observer = move |observation: Observation<'_>| {
        if let Observation::Called {
            port,
            name,
            operation,
            error,
            ..
        } = observation
        {
            let call = format!("{port} {name} {operation} {}", error.unwrap_or("ok"));
            report.lock().unwrap().push(call);
        }
    };
    let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS));
    let store = Metered::new(store, "mastodon", Arc::new(observer));
    SlotStore::counts(&store).await.unwrap();
    let nowhere = ListCursor("no page begins here".to_owned());
    assert!(SlotStore::list(&store, Some(&nowhere), 10).await.is_err());
    let expected = ["store mastodon counts ok", "store mastodon list cursor"];
    assert_eq!(*reported.lock().unwrap(), expected);
}
