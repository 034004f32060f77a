//! Pause and resume, refusals, and runs by hand.

use polling_model::caps::SLOTS;

use super::scene::{Scene, completion, context, dead_letter, id, names};
use crate::store::{Edited, Hold, Next, Place, Settlement, SharedStore, Verdict};

/// From every place, at once; and once only.
pub async fn a_paused_job_is_not_drained(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("flown", 1).await;
    scene.drain(scene.at(1)).await;
    scene.register("slot", 2).await;
    scene.register("later", 2 * SLOTS).await;
    for name in ["flown", "slot", "later"] {
        let hold = async |hold, why| scene.store.hold(&id(name), hold, why).await.expect("hold");
        assert_eq!(hold(Hold::Paused, "by hand").await, Edited::Done, "{name}");
        let before = scene.get(name).await;
        assert_eq!(before.state.place, Place::Held(Hold::Paused));
        assert_ne!(before.state.revision, 0);
        assert_eq!(before.state.reason(), "by hand");
        assert_eq!(hold(Hold::Parked, "again").await, Edited::Unchanged);
        assert_eq!(scene.get(name).await, before);
    }
    assert!(scene.drain(scene.at(3 * SLOTS)).await.is_empty());
    assert_eq!(
        scene
            .store
            .reap(scene.at(3 * SLOTS), 10, scene.at(3 * SLOTS))
            .await
            .expect("reap"),
        0
    );
    assert_eq!(scene.counts().await.held, 3);
}

/// Sooner and later, into the ring and beyond it; what does not wait is left.
pub async fn a_job_that_waits_is_moved_to_any_time(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("flown", 1).await;
    scene.drain(scene.at(1)).await;
    let waiting = [
        ("a", 5),
        ("b", 5),
        ("c", 5),
        ("held", 5),
        ("far", 2 * SLOTS),
    ];
    for (name, slots) in waiting {
        scene.register(name, slots).await;
    }
    let held = scene.store.hold(&id("held"), Hold::Parked, "gone").await;
    held.expect("hold");
    let to = async |name: &str, slots| {
        let (id, due_ms) = (id(name), scene.at(slots));
        let moved = scene.store.move_to(&id, due_ms, "to a quieter time");
        moved.await.expect("move_to")
    };
    for (name, slots) in [("a", 3), ("b", 9), ("c", 3 * SLOTS), ("far", 4)] {
        assert_eq!(to(name, slots).await, Edited::Done, "{name}");
        let state = scene.get(name).await.state;
        assert_eq!(state.due_ms, scene.at(slots), "{name}");
        assert_eq!(state.reason(), "to a quieter time");
    }
    assert_eq!(scene.place("c").await, Place::Later);
    for name in ["flown", "held"] {
        let before = scene.get(name).await;
        assert_eq!(to(name, 3).await, Edited::Unchanged, "{name}");
        assert_eq!(scene.get(name).await, before);
    }
    assert_eq!(to("nobody", 3).await, Edited::Unknown);
    // No sooner than the next slot.
    assert_eq!(to("a", -3).await, Edited::Done);
    let mut drained = Vec::new();
    for slots in 2..=9 {
        let at = scene.drain(scene.at(slots)).await.into_iter();
        drained.extend(at.map(|one| (one.record.id.to_string(), slots)));
    }
    let expected = [("a", 2), ("far", 4), ("b", 9)];
    assert_eq!(drained, expected.map(|(name, at)| (name.to_owned(), at)));
}

/// Also what is registered meanwhile; what is in flight ends as always.
pub async fn a_stopped_channel_drains_nothing_until_it_goes_on(store: SharedStore) {
    let scene = Scene::new(store);
    let stopped = async || scene.store.stopped().await.expect("stopped");
    let stop = async |reason| scene.store.stop(reason).await.expect("stop");
    assert_eq!(stopped().await, None);
    scene.register("flown", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    scene.register("a", 2).await;
    stop(Some("the channel asked for it")).await;
    assert_eq!(stopped().await.as_deref(), Some("the channel asked for it"));
    scene.register("meanwhile", 2).await;
    scene.store.run_now(&id("a")).await.expect("run_now");
    let before = scene.counts().await;
    assert!(scene.drain(scene.at(3)).await.is_empty());
    assert_eq!(scene.counts().await, before);
    let settlement = Settlement {
        next: Next::Due(scene.at(4)),
        ..completion(&dispatch, 0)
    };
    assert_eq!(
        scene.settle(settlement, scene.at(3)).await,
        Verdict::Accepted
    );
    assert!(scene.drain(scene.at(4)).await.is_empty());
    stop(None).await;
    stop(None).await;
    assert_eq!(stopped().await, None);
    let drained = scene.drain(scene.at(4)).await.into_iter();
    let drained: Vec<_> = drained.map(|one| one.record.id.to_string()).collect();
    assert_eq!(drained.len(), 3, "{drained:?}");
}

/// What a poll in flight brought is kept, and the job stays where the hand put it.
pub async fn a_completion_while_paused_updates_and_stays(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    scene
        .store
        .hold(&id("a"), Hold::Paused, "by hand")
        .await
        .expect("hold");
    let settlement = Settlement {
        revision: scene.get("a").await.state.revision,
        next: Next::Remove,
        ..completion(&dispatch, 0)
    };
    assert_eq!(
        scene.settle(settlement.clone(), scene.at(2)).await,
        Verdict::Accepted
    );
    let record = scene.get("a").await;
    assert_eq!(record.context, context("{\"seen\":1}"));
    assert_eq!(
        (record.state.place, record.state.nonce),
        (Place::Held(Hold::Paused), None)
    );
    assert_eq!(record.state.reason(), "by hand");
    assert_eq!(scene.settle(settlement, scene.at(2)).await, Verdict::Stale);
    let strike = dead_letter(&dispatch, 0, 1);
    assert_eq!(scene.settle(strike, scene.at(2)).await, Verdict::Stale);
    assert_eq!(scene.place("a").await, Place::Held(Hold::Paused));
}

/// Back into the cycle, once.
pub async fn a_resumed_job_is_placed_anew(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let due = [scene.at(4); 2];
    let resume = async || scene.store.resume(&id("a"), due).await.expect("resume");
    assert_eq!(resume().await, Edited::Unchanged);
    scene
        .store
        .hold(&id("a"), Hold::Paused, "by hand")
        .await
        .expect("hold");
    let held = scene.get("a").await.state;
    assert_eq!(resume().await, Edited::Done);
    let state = scene.get("a").await.state;
    assert_eq!((state.place, state.due_ms), (Place::Slot, scene.at(4)));
    assert_ne!(state.revision, held.revision);
    assert_eq!(resume().await, Edited::Unchanged);
    assert_eq!(names(&scene.drain(scene.at(4)).await), ["a"]);
}

/// A rule may park a job; its token is spent.
pub async fn a_completion_may_hold(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let next = Next::Hold(Hold::Parked);
    let settlement = Settlement {
        next,
        reason: "gone".to_owned(),
        ..completion(&dispatch, 0)
    };
    assert_eq!(
        scene.settle(settlement, scene.at(1)).await,
        Verdict::Accepted
    );
    let state = scene.get("a").await.state;
    assert_eq!(
        (state.place, state.nonce),
        (Place::Held(Hold::Parked), None)
    );
    assert_eq!((state.reason(), state.revision), ("gone", 0));
    assert_eq!(scene.counts().await.held, 1);
}

/// A queue's refusal concerns one dispatch, not the job's next.
pub async fn a_refused_job_is_held_only_under_its_token(store: SharedStore) {
    let scene = Scene::new(store);
    for name in ["a", "b", "c"] {
        scene.register(name, 1).await;
    }
    let taken = scene.drain(scene.at(1)).await;
    let mut refused: Vec<_> = taken
        .iter()
        .map(|one| (one.record.id.clone(), one.token.nonce))
        .collect();
    refused[1].1 = scene.nonce();
    refused.push((id("none"), scene.nonce()));
    scene
        .settle(completion(&taken[2], scene.at(6)), scene.at(1))
        .await;
    scene
        .store
        .refuse(&refused, "too large")
        .await
        .expect("refuse");
    let a = scene.get("a").await.state;
    assert_eq!(
        (a.place, a.reason()),
        (Place::Held(Hold::Refused), "too large")
    );
    assert!(matches!(scene.place("b").await, Place::InFlight { .. }));
    assert_eq!(scene.place("c").await, Place::Slot);
    scene.counts().await;
}

/// From a slot, from later, from a hold: into the drain that runs.
pub async fn a_job_runs_now_from_wherever_it_waits(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("held", 3).await;
    scene.register("later", 2 * SLOTS).await;
    scene.register("slot", 9).await;
    scene
        .store
        .hold(&id("held"), Hold::Parked, "gone")
        .await
        .expect("hold");
    assert!(scene.drain(scene.at(1)).await.is_empty());
    for name in ["held", "later", "slot"] {
        assert_eq!(
            scene.store.run_now(&id(name)).await.expect("run_now"),
            Edited::Done
        );
        let state = scene.get(name).await.state;
        assert_eq!(
            (state.place, state.due_ms),
            (Place::Slot, scene.at(1)),
            "{name}"
        );
    }
    assert_eq!(
        names(&scene.drain(scene.at(1) + 1).await),
        ["held", "later", "slot"]
    );
    assert!(scene.drain(scene.at(20)).await.is_empty());
    scene.counts().await;
}

/// In flight the wish is noted for the decision to come, which is made again.
pub async fn in_flight_a_run_is_asked_for(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    scene.store.run_now(&id("a")).await.expect("run_now");
    let state = scene.get("a").await.state;
    assert_eq!(
        (state.run_now, state.place),
        (true, dispatch.record.state.place)
    );
    let settlement = completion(&dispatch, scene.at(9));
    assert_eq!(
        scene.settle(settlement.clone(), scene.at(1)).await,
        Verdict::Edited
    );
    let again = Settlement {
        revision: state.revision,
        next: Next::Now,
        ..settlement
    };
    assert_eq!(scene.settle(again, scene.at(1)).await, Verdict::Accepted);
    assert!(!scene.get("a").await.state.run_now);
    assert_eq!(names(&scene.drain(scene.at(1) + 1).await), ["a"]);
}

/// A run that was asked for is not asked for again: where the job was reaped, the next drain is it.
pub async fn a_drain_fulfils_the_run_that_was_asked_for(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    scene.drain_one(scene.at(1)).await;
    scene.store.run_now(&id("a")).await.expect("run_now");
    let reaped = scene
        .store
        .reap(scene.at(3 * SLOTS), 10, scene.at(3 * SLOTS))
        .await;
    assert_eq!(reaped.expect("reap"), 1);
    let again = scene.drain_one(scene.at(5)).await;
    assert!(!again.record.state.run_now);
    assert!(!scene.get("a").await.state.run_now);
}

/// Like a resumed job it begins with no strike; otherwise the next dead letter would take it away.
pub async fn running_a_quarantined_job_clears_its_strikes(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    scene
        .settle(dead_letter(&dispatch, 0, 1), scene.at(1))
        .await;
    assert_eq!(scene.place("a").await, Place::Held(Hold::Quarantined));
    scene.store.run_now(&id("a")).await.expect("run_now");
    assert_eq!(scene.get("a").await.state.strikes, 0);
}

/// A hold is no protection from removal.
pub async fn held_jobs_are_removed_like_others(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 3).await;
    scene
        .store
        .hold(&id("a"), Hold::Paused, "by hand")
        .await
        .expect("hold");
    assert_eq!(
        scene.store.remove(&id("a")).await.expect("remove"),
        Edited::Done
    );
    assert_eq!(scene.counts().await.held, 0);
}
