//! Reaping: jobs whose completion does not come return to the cycle.

use super::scene::{LEASE_SLOTS, Scene, completion, names};
use crate::store::{Place, SharedStore, Verdict};

/// Not a millisecond before; then into the slot after the cursor.
pub async fn a_lease_lasts_until_its_deadline(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    scene.drain(scene.at(1) + 7).await;
    let deadline_ms = scene.at(1 + LEASE_SLOTS) + 7;
    assert_eq!(scene.place("a").await, Place::InFlight { deadline_ms });
    assert_eq!(
        scene
            .store
            .reap(deadline_ms - 1, 10, deadline_ms - 1)
            .await
            .expect("reap"),
        0
    );
    assert_eq!(
        scene
            .store
            .reap(deadline_ms, 10, deadline_ms)
            .await
            .expect("reap"),
        1
    );
    let state = scene.get("a").await.state;
    assert_eq!(
        (state.place, state.due_ms, state.strikes),
        (Place::Slot, scene.at(2), 0)
    );
    assert_eq!(
        scene
            .store
            .reap(deadline_ms, 10, deadline_ms)
            .await
            .expect("reap"),
        0
    );
    assert_eq!(scene.counts().await.slots, 1);
}

/// Reaping spends no token: a completion that was only late is not polled again.
pub async fn a_reaped_job_still_takes_its_completion(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    scene
        .store
        .reap(scene.at(50), 10, scene.at(50))
        .await
        .expect("reap");
    let settlement = completion(&dispatch, scene.at(60));
    assert_eq!(
        scene.settle(settlement, scene.at(50)).await,
        Verdict::Accepted
    );
    assert!(scene.drain(scene.at(59)).await.is_empty());
    assert_eq!(names(&scene.drain(scene.at(60)).await), ["a"]);
}

/// Once it goes out again, only the new message counts.
pub async fn after_the_next_drain_the_old_token_is_spent(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let first = scene.drain_one(scene.at(1)).await;
    scene
        .store
        .reap(scene.at(50), 10, scene.at(50))
        .await
        .expect("reap");
    let second = scene.drain_one(scene.at(50)).await;
    assert_eq!(second.token.generation, 2);
    let late = completion(&first, scene.at(60));
    assert_eq!(scene.settle(late, scene.at(51)).await, Verdict::Stale);
    let settlement = completion(&second, scene.at(60));
    assert_eq!(
        scene.settle(settlement, scene.at(51)).await,
        Verdict::Accepted
    );
}

/// No more than asked for comes back at once.
pub async fn reaping_is_bounded(store: SharedStore) {
    let scene = Scene::new(store);
    for name in ["a", "b", "c", "d", "e"] {
        scene.register(name, 1).await;
    }
    scene.drain(scene.at(1)).await;
    for expected in [2, 2, 1, 0] {
        assert_eq!(
            scene
                .store
                .reap(scene.at(50), 2, scene.at(50))
                .await
                .expect("reap"),
            expected
        );
    }
    let counts = scene.counts().await;
    assert_eq!((counts.slots, counts.in_flight), (5, 0));
}
