//! The store in memory: the port's conformance suite, and going back to a snapshot.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::Arc};

use polling_model::{Context, Generator, Nonce, SlotRing};
use scheduler_lib::store::{
    DrainRequest, MemoryStore, NewJob, Next, Settlement, SharedStore, SlotStore, Strike, Update,
    Verdict, conformance::START_MS,
};

async fn on_a_fresh_store(case: impl AsyncFnOnce(SharedStore)) {
    case(Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS))).await;
}

scheduler_lib::store_conformance! {
    #[tokio::test]
    on_a_fresh_store
}

fn new(id: &str) -> NewJob {
    NewJob {
        id: id.parse().unwrap(),
        job_type: "posts".parse().unwrap(),
        account: "42".parse().unwrap(),
        level: "gold".parse().unwrap(),
        cushion: None,
        context: Context::new().encode().unwrap(),
        incarnation: Nonce(1),
        due: [START_MS; 2],
    }
}

#[tokio::test]
async fn a_restored_store_is_as_it_was_at_the_snapshot() {
    let store = MemoryStore::new(SlotRing::MINUTES, START_MS);
    store.register(vec![new("kept")], START_MS).await.unwrap();
    let snapshot = store.snapshot();
    store
        .register(vec![new("forgotten")], START_MS)
        .await
        .unwrap();
    store.remove(&"kept".parse().unwrap()).await.unwrap();
    store.restore(&snapshot);
    let jobs = store.list(None, 10).await.unwrap().records;
    assert_eq!(
        jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(),
        ["kept"]
    );
    assert_eq!(store.counts().await.unwrap().slots, 1);
}

/// Edited as often since as before, but not by the same edit.
#[tokio::test]
async fn a_decision_made_before_a_failover_does_not_fit_a_record_edited_after_it() {
    let store = MemoryStore::new(SlotRing::MINUTES, START_MS);
    let now_ms = START_MS + 60_000;
    let a = "a".parse().unwrap();
    store.register(vec![new("a")], START_MS).await.unwrap();
    let drained = store.drain(DrainRequest {
        pace_ms: 0,
        now_ms,
        limit: 10,
        nonce: Nonce(2),
        note_deadline_ms: now_ms,
        max_open_notes: 1,
        deadlines_ms: Default::default(),
        default_deadline_ms: now_ms,
    });
    let dispatch = drained.await.unwrap().jobs.remove(0);
    let snapshot = store.snapshot();
    let update = Update {
        level: Some("basic".parse().unwrap()),
        ..Update::default()
    };
    store.update(&a, update).await.unwrap();
    let decided_on = store.get(&a).await.unwrap().unwrap().state.revision;
    store.restore(&snapshot);
    store.run_now(&a).await.unwrap();

    let settlement = Settlement {
        id: a.clone(),
        token: dispatch.token,
        revision: decided_on,
        context: None,
        scopes: None,
        activity: None,
        next: Next::Due(now_ms + 3_600_000),
        attempts: 0,
        strike: Strike::Clear,
        reason: "polled".to_owned(),
    };
    let verdicts = store.settle(vec![settlement], now_ms).await.unwrap();
    assert_eq!(verdicts, [Verdict::Edited]);
    assert!(store.get(&a).await.unwrap().unwrap().state.run_now);
}

/// Where a slot holds more than may go out, the same jobs must not go first every time.
#[tokio::test]
async fn a_drain_at_once_begins_anywhere_in_its_slot() {
    let generator = Generator::from_seed(7);
    let store = MemoryStore::new(SlotRing::MINUTES, START_MS);
    let mut first = Vec::new();
    for minute in 1..=100 {
        let now_ms = START_MS + minute * 60_000;
        for id in ["a", "z"] {
            let due = [now_ms; 2];
            store
                .register(vec![NewJob { due, ..new(id) }], now_ms)
                .await
                .unwrap();
        }
        let request = DrainRequest {
            pace_ms: 0,
            now_ms,
            limit: 1,
            nonce: generator.nonce(),
            note_deadline_ms: now_ms,
            max_open_notes: usize::MAX,
            deadlines_ms: BTreeMap::new(),
            default_deadline_ms: now_ms,
        };
        let drained = store.drain(request).await.unwrap();
        first.push(drained.jobs[0].record.id.to_string());
        for id in ["a", "z"] {
            store.remove(&id.parse().unwrap()).await.unwrap();
        }
    }
    let led_by_a = first.iter().filter(|id| *id == "a").count();
    assert!((10..=90).contains(&led_by_a), "{led_by_a} of 100");
}
