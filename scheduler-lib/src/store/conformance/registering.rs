//! Registering, and edits of the registry.

use std::time::Duration;

use polling_model::caps::SLOTS;

use super::{
    START_MS,
    scene::{Scene, completion, context, id, names},
};
use crate::{
    ledger::Cushion,
    policy::Override,
    store::{Edited, Hold, NewJob, Place, Registered, SharedStore, Update, Verdict},
};

const PINNED: Override = Override::Pin {
    interval: Duration::from_millis(90_500),
};
const BOOSTED: Override = Override::Boost {
    factor: 2.5,
    until_ms: 1_800_000_000_001,
};

/// A new job is in the slot of its time, with nothing spent and nothing counted.
pub async fn a_registered_job_waits_in_its_slot(store: SharedStore) {
    let scene = Scene::new(store);
    let job = NewJob {
        cushion: Some(Cushion::Share(0.07)),
        ..scene.new_job("a", [scene.at(3) - 1; 2])
    };
    assert_eq!(scene.register_as(job.clone()).await, Registered::Created);
    let record = scene.get("a").await;
    assert_eq!((record.id, record.context), (job.id, job.context));
    let state = record.state;
    assert_eq!((state.place, state.due_ms), (Place::Slot, scene.at(3) - 1));
    assert_eq!(
        (state.account, state.level, state.cushion),
        (job.account, job.level, Some(Cushion::Share(0.07)))
    );
    assert_eq!(
        (state.incarnation, state.generation, state.nonce),
        (job.incarnation, 0, None)
    );
    assert_eq!(
        (state.revision, state.attempts, state.strikes, state.run_now),
        (0, 0, 0, false)
    );
    assert_eq!(scene.counts().await.slots, 1);
}

/// Many at once, more than a chunk, some of them twice: one answer each, in their order.
pub async fn many_jobs_are_registered_at_once(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("job-7", 3).await;
    let jobs =
        (0..250).map(|number| scene.new_job(&format!("job-{}", number / 2), [scene.at(3); 2]));
    let registered = scene.store.register(jobs.collect(), START_MS).await;
    let expected = (0..250).map(|number| match number % 2 == 1 || number / 2 == 7 {
        true => Registered::Existing,
        false => Registered::Created,
    });
    assert_eq!(registered.expect("register"), expected.collect::<Vec<_>>());
    assert_eq!(scene.counts().await.slots, 125);
}

/// Registering is idempotent: context, time and life stay.
pub async fn registering_again_changes_nothing(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 3).await;
    let before = scene.get("a").await;
    let again = NewJob {
        context: context("{\"other\":1}"),
        ..scene.new_job("a", [scene.at(9); 2])
    };
    assert_eq!(scene.register_as(again).await, Registered::Existing);
    assert_eq!(scene.get("a").await, before);
    assert_eq!(scene.counts().await.registered, 1);
}

/// Two choices: the emptier slot, the first of equals.
pub async fn of_two_slots_the_emptier_is_taken(store: SharedStore) {
    let scene = Scene::new(store);
    let jobs: [_; 4] = scene.neighbours();
    for (name, expected) in jobs.iter().zip([2, 5, 2, 5]) {
        scene
            .register_as(scene.new_job(name, [scene.at(2), scene.at(5)]))
            .await;
        assert_eq!(
            scene.get(name).await.state.due_ms,
            scene.at(expected),
            "{name}"
        );
    }
}

/// Nothing is placed at or before the cursor: it would wait for a day.
pub async fn what_was_due_is_placed_after_the_cursor(store: SharedStore) {
    let scene = Scene::new(store);
    scene
        .register_as(scene.new_job("a", [scene.at(-5); 2]))
        .await;
    scene.register_as(scene.new_job("b", [0; 2])).await;
    for name in ["a", "b"] {
        assert_eq!(scene.get(name).await.state.due_ms, scene.at(1));
    }
    assert!(scene.drain(scene.at(0)).await.is_empty());
    assert_eq!(names(&scene.drain(scene.at(1)).await), ["a", "b"]);
}

/// A removed job is in no list and no place, and what comes back in its name finds none; from
/// wherever it was.
pub async fn a_removed_job_leaves_nothing_behind(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("flown", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    scene.register("slot", 2).await;
    scene.register("later", 2 * SLOTS).await;
    for name in ["flown", "slot", "later"] {
        assert_eq!(
            scene.store.remove(&id(name)).await.expect("remove"),
            Edited::Done,
            "{name}"
        );
        assert_eq!(scene.find(name).await, None);
    }
    let late = completion(&dispatch, scene.at(5));
    assert_eq!(scene.settle(late, scene.at(2)).await, Verdict::Unknown);
    assert!(scene.drain(scene.at(3)).await.is_empty());
    assert!(scene.list(10).await.is_empty());
    assert_eq!(scene.counts().await.registered, 0);
    assert_eq!(
        scene.store.remove(&id("slot")).await.expect("remove"),
        Edited::Unknown
    );
}

/// New rules of a job in a slot, or later, count from now on if that is sooner. It is not
/// postponed: edits that keep coming would do so for ever.
pub async fn an_update_places_a_waiting_job_sooner_and_never_later(store: SharedStore) {
    let scene = Scene::new(store);
    for (name, slots) in [("slot", 9), ("later", 2 * SLOTS)] {
        scene.register(name, slots).await;
        let update = Update {
            level: Some("gold".parse().expect("a valid level")),
            cushion: Some(Some(Cushion::Calls(9))),
            pace: Some(Some(PINNED)),
            due: [scene.at(7); 2],
        };
        assert_eq!(
            scene.store.update(&id(name), update).await.expect("update"),
            Edited::Done
        );
        let state = scene.get(name).await.state;
        assert_eq!((state.place, state.due_ms), (Place::Slot, scene.at(7)));
        assert_ne!(state.revision, 0);
        let cushion = Some(Cushion::Calls(9));
        assert_eq!((state.level.as_str(), state.cushion), ("gold", cushion));
        assert_eq!(state.pace, Some(PINNED));
    }
    let back = Update {
        cushion: Some(None),
        pace: Some(Some(BOOSTED)),
        due: [scene.at(3 * SLOTS); 2],
        ..Update::default()
    };
    scene.store.update(&id("slot"), back).await.expect("update");
    let state = scene.get("slot").await.state;
    assert_eq!(
        (state.place, state.cushion, state.level.as_str()),
        (Place::Slot, None, "gold")
    );
    assert_eq!((state.due_ms, state.pace), (scene.at(7), Some(BOOSTED)));
    let free = Update {
        pace: Some(None),
        ..Update::default()
    };
    scene.store.update(&id("slot"), free).await.expect("update");
    assert_eq!(scene.get("slot").await.state.pace, None);
    assert_eq!(scene.get("later").await.state.pace, Some(PINNED));
    scene.counts().await;
}

/// Neither does it come later by edits while its own slot is drained, nor by another context.
pub async fn edits_that_keep_coming_do_not_postpone_a_job(store: SharedStore) {
    let scene = Scene::new(store);
    for name in ["updated", "replaced"] {
        scene.register(name, 3).await;
    }
    for slot in 0..3 {
        assert!(scene.drain(scene.at(slot)).await.is_empty());
        let due = [scene.at(slot + 3); 2];
        let update = Update {
            due,
            ..Update::default()
        };
        let (updated, replaced) = (id("updated"), id("replaced"));
        scene.store.update(&updated, update).await.expect("update");
        let life = scene.nonce();
        let replacing = scene
            .store
            .replace_context(&replaced, context("{}"), life, due);
        replacing.await.expect("replace_context");
    }
    assert_eq!(scene.drain(scene.at(3)).await.len(), 2);
    scene.counts().await;
}

/// The slot that a job is about to leave counts without it.
pub async fn a_job_does_not_crowd_itself_out(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 2).await;
    let due = [scene.at(2), scene.at(5)];
    let update = Update {
        due,
        ..Update::default()
    };
    scene.store.update(&id("a"), update).await.expect("update");
    assert_eq!(scene.get("a").await.state.due_ms, scene.at(2));
    let a = id("a");
    let replaced = scene
        .store
        .replace_context(&a, context("{}"), scene.nonce(), due);
    replaced.await.expect("replace_context");
    assert_eq!(scene.get("a").await.state.due_ms, scene.at(2));
}

/// In flight, or held, an update leaves the job where it is.
pub async fn an_update_in_flight_changes_the_rules_only(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let update = Update {
        cushion: Some(Some(Cushion::Calls(3))),
        due: [scene.at(7); 2],
        ..Update::default()
    };
    scene
        .store
        .update(&id("a"), update.clone())
        .await
        .expect("update");
    let state = scene.get("a").await.state;
    assert_eq!(
        (state.place, state.cushion),
        (dispatch.record.state.place, Some(Cushion::Calls(3)))
    );
    assert_eq!(state.token(), Some(dispatch.token));
    scene
        .store
        .hold(&id("a"), Hold::Paused, "by hand")
        .await
        .expect("hold");
    scene.store.update(&id("a"), update).await.expect("update");
    assert_eq!(scene.place("a").await, Place::Held(Hold::Paused));
}

/// A context replaced by hand fences the copy in flight, and is polled anew; a held job stays held.
pub async fn a_replaced_context_begins_a_new_life(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let life = scene.nonce();
    let (new, due) = (context("{\"by\":\"hand\"}"), [scene.at(4); 2]);
    let edited = scene
        .store
        .replace_context(&id("a"), new.clone(), life, due)
        .await;
    assert_eq!(edited.expect("replace_context"), Edited::Done);
    let record = scene.get("a").await;
    assert_eq!(
        (
            record.state.incarnation,
            record.state.generation,
            record.state.nonce
        ),
        (life, 0, None)
    );
    assert_eq!(
        (record.state.place, record.state.due_ms),
        (Place::Slot, scene.at(4))
    );
    let late = completion(&dispatch, scene.at(9));
    assert_eq!(
        scene.settle(late, scene.at(2)).await,
        Verdict::OtherIncarnation
    );
    assert_eq!(scene.get("a").await, record);

    scene
        .store
        .hold(&id("a"), Hold::Parked, "gone")
        .await
        .expect("hold");
    let (other, life) = (context("{\"by\":\"hand again\"}"), scene.nonce());
    scene
        .store
        .replace_context(&id("a"), other.clone(), life, due)
        .await
        .expect("replace_context");
    let held = scene.get("a").await;
    assert_eq!(
        (held.state.place, held.context),
        (Place::Held(Hold::Parked), other)
    );
    assert_eq!(record.context, new);
}

/// No edit creates a job.
pub async fn edits_of_unknown_jobs_say_so(store: SharedStore) {
    let scene = Scene::new(store);
    let (store, none, due) = (&scene.store, id("none"), [scene.at(2); 2]);
    let answers = [
        store.remove(&none).await,
        store
            .update(
                &none,
                Update {
                    due,
                    ..Update::default()
                },
            )
            .await,
        store
            .replace_context(&none, context("{}"), scene.nonce(), due)
            .await,
        store.hold(&none, Hold::Paused, "by hand").await,
        store.resume(&none, due).await,
        store.run_now(&none).await,
    ];
    for answer in answers {
        assert_eq!(answer.expect("an edit"), Edited::Unknown);
    }
    assert_eq!(scene.counts().await.registered, 0);
}
