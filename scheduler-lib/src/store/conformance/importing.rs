//! Jobs that come from another store.

use polling_model::caps::SLOTS;

use super::{
    START_MS,
    scene::{Scene, completion, context, dead_letter, id, names},
};
use crate::{
    ledger::Cushion,
    policy::{Override, adaptive::Activity},
    store::{
        ExportedJob, Hold, ImportedJob, MAX_CHUNK, Next, Place, Registered, Settlement,
        SharedStore, Strike, Update, Verdict,
    },
};

impl Scene {
    async fn export(&self, name: &str) -> ExportedJob {
        self.get(name).await.into()
    }

    async fn import(&self, jobs: Vec<ExportedJob>) -> Vec<Registered> {
        let import = |job| ImportedJob {
            job,
            incarnation: self.nonce(),
        };
        let jobs = jobs.into_iter().map(import).collect();
        let imported = self.store.import(jobs, START_MS).await;
        imported.expect("import")
    }

    async fn remove(&self, name: &str) {
        self.store.remove(&id(name)).await.expect("remove");
    }

    /// A job that has been polled, failed, held, and changed by hand.
    async fn used(&self, name: &str, slots: i64) {
        self.register(name, slots).await;
        let now_ms = self.at(slots);
        let due = Next::Due(self.at(slots + 5));
        for (strike, next) in [(true, Next::Now), (false, Next::Now), (true, due)] {
            let dispatch = self.drain_one(now_ms).await;
            let letter = dead_letter(&dispatch, now_ms, 9);
            let settlement = Settlement {
                scopes: Some(vec!["app".parse().expect("a valid scope")]),
                activity: Some(Activity::since(START_MS)),
                context: Some(context("{\"seen\":\"é\"}")),
                attempts: 3,
                next,
                strike: if strike { letter.strike } else { Strike::Clear },
                ..letter
            };
            assert_eq!(self.settle(settlement, now_ms).await, Verdict::Accepted);
        }
        let update = Update {
            cushion: Some(Some(Cushion::Share(0.07))),
            pace: Some(Some(Override::Boost {
                factor: 2.5,
                until_ms: 1_800_000_000_001,
            })),
            due: [self.at(slots + 7); 2],
            ..Update::default()
        };
        let updated = self.store.update(&id(name), update).await;
        updated.expect("update");
    }
}

/// Whatever it remembers, also as a line of text; its life and its token are new.
pub async fn a_job_comes_out_of_a_store_as_it_came_into_it(store: SharedStore) {
    let scene = Scene::new(store);
    let holds = [None, Some(Hold::Paused), Some(Hold::Quarantined)];
    for (hold, slots) in holds.into_iter().zip([1, 11, 21]) {
        scene.used("a", slots).await;
        if let Some(hold) = hold {
            let held = scene.store.hold(&id("a"), hold, "looked at").await;
            held.expect("hold");
        }
        let before = scene.get("a").await;
        let exported = scene.export("a").await;
        assert_eq!(exported.hold, hold);
        assert_eq!((exported.strikes, exported.attempts), (1, 3));
        let line = serde_json::to_string(&exported).expect("it is JSON");
        scene.remove("a").await;
        let read = serde_json::from_str(&line).expect("it was written so");
        assert_eq!(scene.import(vec![read]).await, [Registered::Created]);

        assert_eq!(scene.export("a").await, exported);
        let state = scene.get("a").await.state;
        assert_ne!(state.incarnation, before.state.incarnation);
        assert_eq!(state.token(), None);
        assert_eq!((state.generation, state.revision), (0, 0));
        assert_eq!(scene.counts().await.registered, 1);
        assert_eq!(scene.sweep(10).await, 0);
        scene.remove("a").await;
    }
}

/// So an import that broke off is begun again.
pub async fn an_existing_job_is_not_imported(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    scene.register("b", 2).await;
    let jobs = vec![scene.export("a").await, scene.export("b").await];
    scene.remove("b").await;
    let before = scene.get("a").await;
    let imported = scene.import(jobs.clone()).await;
    assert_eq!(imported, [Registered::Existing, Registered::Created]);
    assert_eq!(scene.get("a").await, before);
    assert_eq!(scene.import(jobs).await, [Registered::Existing; 2]);
    assert_eq!(scene.counts().await.slots, 2);
}

/// What its poll brings after that is of another life.
pub async fn a_job_that_was_in_flight_is_due_when_that_ends(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let Place::InFlight { deadline_ms } = dispatch.record.state.place else {
        panic!("it is in flight");
    };
    let exported = scene.export("a").await;
    assert_eq!(exported.due_ms, deadline_ms);
    scene.remove("a").await;
    scene.import(vec![exported]).await;
    assert_eq!(scene.place("a").await, Place::Slot);
    let late = completion(&dispatch, scene.at(2));
    assert_eq!(
        scene.settle(late, scene.at(2)).await,
        Verdict::OtherIncarnation
    );
    assert!(scene.drain(deadline_ms - 1).await.is_empty());
    assert_eq!(names(&scene.drain(deadline_ms).await), ["a"]);
}

/// In the slot of its time; at once if that is over; later if that is beyond the ring.
pub async fn an_imported_job_is_placed_by_when_it_is_due(store: SharedStore) {
    let scene = Scene::new(store);
    for (name, slots, place, due) in [
        ("over", -5, Place::Slot, 1),
        ("soon", 3, Place::Slot, 3),
        ("far", 2 * SLOTS, Place::Later, 2 * SLOTS),
    ] {
        scene.register(name, 1).await;
        let due_ms = scene.at(slots);
        let exported = ExportedJob {
            due_ms,
            ..scene.export(name).await
        };
        scene.remove(name).await;
        scene.import(vec![exported]).await;
        let state = scene.get(name).await.state;
        assert_eq!(
            (state.place, state.due_ms),
            (place, scene.at(due)),
            "{name}"
        );
    }
    assert_eq!(names(&scene.drain(scene.at(1)).await), ["over"]);
    assert_eq!(names(&scene.drain(scene.at(3)).await), ["soon"]);
}

/// One answer each, in their order.
pub async fn more_jobs_than_a_chunk_are_imported(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let one = scene.export("a").await;
    let jobs = (0..2 * MAX_CHUNK + 1).map(|number| ExportedJob {
        id: id(&format!("job-{}", number / 2)),
        ..one.clone()
    });
    let imported = scene.import(jobs.collect()).await;
    let expected = (0..2 * MAX_CHUNK + 1).map(|number| match number % 2 {
        0 => Registered::Created,
        _ => Registered::Existing,
    });
    assert_eq!(imported, expected.collect::<Vec<_>>());
    assert_eq!(scene.counts().await.slots, MAX_CHUNK as u64 + 2);
    assert_eq!(scene.sweep(50).await, 0);
}
