//! Notes: which chunks are being sent.

use super::scene::{NOTE_SLOTS, Scene, completion, id, names};
use crate::store::{DrainRequest, Hold, SharedStore};

/// Past its deadline one claimant gets the note, and the next only past the new deadline.
pub async fn an_open_note_is_claimed_once(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let claim = async |now, until| {
        scene
            .store
            .claim_note(now, until)
            .await
            .expect("claim_note")
    };
    let overdue_ms = scene.at(1 + NOTE_SLOTS);
    assert_eq!(claim(overdue_ms - 1, scene.at(9)).await, None);
    let claimed = claim(overdue_ms, scene.at(9))
        .await
        .expect("the note is overdue");
    assert_eq!(claimed.nonce, dispatch.token.nonce);
    assert_eq!(claimed.jobs, std::slice::from_ref(&dispatch));
    assert_eq!(claim(scene.at(9) - 1, scene.at(99)).await, None);
    let again = claim(scene.at(9), scene.at(99))
        .await
        .expect("the note is overdue again");
    assert_eq!(again.jobs, [dispatch]);
}

/// Job by job, and without harm when told twice.
pub async fn a_note_is_gone_when_all_is_sent(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    scene.register("b", 1).await;
    let taken = scene.drain(scene.at(1)).await;
    let note = taken[0].token.nonce;
    for (name, open) in [("a", 1), ("a", 1), ("b", 0), ("b", 0)] {
        scene.store.sent(note, &[id(name)]).await.expect("sent");
        assert_eq!(scene.counts().await.open_notes, open, "{name}");
    }
    assert_eq!(
        scene
            .store
            .claim_note(scene.at(99), scene.at(100))
            .await
            .expect("claim_note"),
        None
    );
    assert_eq!(scene.counts().await.in_flight, 2);
}

/// What settled, was held, or went out again since, is not sent again.
pub async fn a_claim_returns_only_jobs_in_flight_under_the_note(store: SharedStore) {
    let scene = Scene::new(store);
    for name in ["settled", "paused", "sent", "open"] {
        scene.register(name, 1).await;
    }
    let taken = scene.drain(scene.at(1)).await;
    let note = taken[0].token.nonce;
    let settled = taken
        .iter()
        .find(|one| one.record.id == id("settled"))
        .expect("drained");
    scene
        .settle(completion(settled, scene.at(30)), scene.at(1))
        .await;
    scene
        .store
        .hold(&id("paused"), Hold::Paused, "by hand")
        .await
        .expect("hold");
    scene.store.sent(note, &[id("sent")]).await.expect("sent");
    let claimed = scene
        .store
        .claim_note(scene.at(5), scene.at(7))
        .await
        .expect("claim_note");
    assert_eq!(names(&claimed.expect("the note is overdue").jobs), ["open"]);

    scene
        .store
        .reap(scene.at(50), 10, scene.at(50))
        .await
        .expect("reap");
    let claimed = scene
        .store
        .claim_note(scene.at(8), scene.at(9))
        .await
        .expect("claim_note");
    assert!(claimed.expect("the note is overdue").jobs.is_empty());
    assert_eq!(scene.counts().await.open_notes, 0);
}

/// A scheduler that cannot send stops taking.
pub async fn with_enough_open_notes_nothing_is_drained(store: SharedStore) {
    let scene = Scene::new(store);
    let jobs: [_; 3] = scene.neighbours();
    for name in &jobs {
        scene.register(name, 1).await;
    }
    let request = || DrainRequest {
        limit: 1,
        max_open_notes: 2,
        ..scene.request(scene.at(1))
    };
    let mut notes = Vec::new();
    for expected in [1, 1, 0] {
        let drained = scene.store.drain(request()).await.expect("drain");
        assert_eq!(drained.jobs.len(), expected);
        notes.extend(drained.jobs);
    }
    let first = &notes[0];
    scene
        .store
        .sent(first.token.nonce, std::slice::from_ref(&first.record.id))
        .await
        .expect("sent");
    assert_eq!(
        scene
            .store
            .drain(request())
            .await
            .expect("drain")
            .jobs
            .len(),
        1
    );
}
