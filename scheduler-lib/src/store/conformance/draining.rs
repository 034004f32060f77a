//! Draining, the cursor, and what waits beyond the ring.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use polling_model::caps::SLOTS;

use super::scene::{LEASE_SLOTS, Scene, completion, id, names};
use crate::store::{DrainRequest, NewJob, Place, SharedStore, Verdict};

/// No job goes out before its time, to the millisecond.
pub async fn a_drain_takes_what_is_due_and_no_more(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    scene.register("b", 2).await;
    scene
        .register_as(scene.new_job("c", [scene.at(1) + 1; 2]))
        .await;
    assert!(scene.drain(scene.at(1) - 1).await.is_empty());
    assert_eq!(names(&scene.drain(scene.at(1)).await), ["a"]);
    assert!(scene.drain(scene.at(2) - 1).await.is_empty());
    assert_eq!(names(&scene.drain(scene.at(2)).await), ["b", "c"]);
}

/// The token names the life, counts the drain, and carries the drain's own nonce.
pub async fn each_drain_gives_a_new_token(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let mut seen = BTreeSet::new();
    for round in 1..=3u64 {
        let now_ms = scene.at(round as i64);
        let request = scene.request(now_ms);
        let nonce = request.nonce;
        let drained = scene.store.drain(request).await.expect("drain");
        let [dispatch] = drained.jobs.as_slice() else {
            panic!("one job is due")
        };
        assert_eq!(
            (dispatch.token.generation, dispatch.token.nonce),
            (round, nonce)
        );
        assert_eq!(dispatch.record.state.token(), Some(dispatch.token));
        assert_eq!(scene.get("a").await, dispatch.record);
        assert!(seen.insert(dispatch.token.to_wire()));
        let settled = scene.settle(completion(dispatch, now_ms + 1), now_ms).await;
        assert_eq!(settled, Verdict::Accepted);
    }
}

/// What is in flight stays there until it settles or is reaped.
pub async fn a_drained_job_is_not_drained_again(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    assert_eq!(names(&scene.drain(scene.at(1)).await), ["a"]);
    for slots in 1..=5 {
        assert!(scene.drain(scene.at(slots)).await.is_empty());
    }
    assert_eq!(scene.counts().await.in_flight, 1);
}

/// One call takes no more than it was asked to, and says that there is more.
pub async fn a_drain_is_bounded(store: SharedStore) {
    let scene = Scene::new(store);
    for name in ["a", "b", "c", "d", "e"] {
        scene.register(name, 1).await;
    }
    let mut taken = Vec::new();
    for (jobs, more) in [(2, true), (2, true), (1, false)] {
        let request = DrainRequest {
            limit: 2,
            ..scene.request(scene.at(1))
        };
        let drained = scene.store.drain(request).await.expect("drain");
        assert_eq!((drained.jobs.len(), drained.more), (jobs, more));
        taken.extend(drained.jobs);
    }
    taken.sort_by(|one, other| one.record.id.cmp(&other.record.id));
    assert_eq!(names(&taken), ["a", "b", "c", "d", "e"]);
}

/// After an outage each slot is caught up in order, one poll a job.
pub async fn missed_slots_are_drained_in_order(store: SharedStore) {
    let scene = Scene::new(store);
    let [v, w, x, y, z] = &scene.neighbours();
    for (name, slots) in [(z, 1), (y, 2), (x, 4), (w, 4), (v, 5)] {
        scene.register(name, slots).await;
    }
    assert_eq!(names(&scene.drain(scene.at(4)).await), [z, y, w, x]);
    assert_eq!(
        scene.counts().await.cursor,
        scene.store.ring().current(scene.at(4)).0
    );
    assert!(scene.drain(scene.at(4)).await.is_empty());
}

/// Schedulers share a slot by chunks, and no job goes out twice.
pub async fn concurrent_drains_share_no_job(store: SharedStore) {
    let scene = Scene::new(store);
    for number in 0..100 {
        scene.register(&format!("job-{number:03}"), 1).await;
    }
    let scheduler = async || {
        let mut taken = Vec::new();
        loop {
            let request = DrainRequest {
                limit: 7,
                ..scene.request(scene.at(1))
            };
            let drained = scene.store.drain(request).await.expect("drain");
            taken.extend(drained.jobs);
            if !drained.more {
                return taken;
            }
        }
    };
    let taken: Vec<_> = join_all((0..8).map(|_| scheduler())).await.concat();
    let ids: BTreeSet<_> = taken
        .iter()
        .map(|dispatch| dispatch.record.id.clone())
        .collect();
    assert_eq!((taken.len(), ids.len()), (100, 100));
    assert_eq!(scene.counts().await.in_flight, 100);
}

/// Leases may differ by job type.
pub async fn the_deadline_goes_by_the_job_type(store: SharedStore) {
    let scene = Scene::new(store);
    let slow = "slow".parse().expect("a valid job type");
    scene.register("a", 1).await;
    let job = NewJob {
        job_type: slow,
        ..scene.new_job("b", [scene.at(1); 2])
    };
    scene.register_as(job.clone()).await;
    let deadlines_ms = BTreeMap::from([(job.job_type, scene.at(99))]);
    let request = DrainRequest {
        deadlines_ms,
        ..scene.request(scene.at(1))
    };
    assert_eq!(
        scene.store.drain(request).await.expect("drain").jobs.len(),
        2
    );
    let deadline_ms = scene.at(1 + LEASE_SLOTS);
    assert_eq!(scene.place("a").await, Place::InFlight { deadline_ms });
    assert_eq!(
        scene.place("b").await,
        Place::InFlight {
            deadline_ms: scene.at(99)
        }
    );
}

/// The ring holds up to the last slot before the cursor's own comes round again.
pub async fn what_is_due_beyond_the_ring_waits_later(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("last", SLOTS - 1).await;
    scene.register("first", SLOTS).await;
    assert_eq!(scene.place("last").await, Place::Slot);
    assert_eq!(scene.place("first").await, Place::Later);
    assert!(scene.drain(scene.at(0)).await.is_empty());
    assert_eq!(scene.place("first").await, Place::Later);
    assert!(scene.drain(scene.at(1)).await.is_empty());
    let state = scene.get("first").await.state;
    assert_eq!((state.place, state.due_ms), (Place::Slot, scene.at(SLOTS)));
    assert_eq!(scene.counts().await.later, 0);
}

/// After days without a scheduler everything goes out, once and in order, however far it lay.
pub async fn a_long_absence_promotes_in_time(store: SharedStore) {
    let scene = Scene::new(store);
    let dues = [1, SLOTS, SLOTS + 1, 2 * SLOTS + 5, 5 * SLOTS, 8 * SLOTS];
    let jobs: [_; 6] = scene.neighbours();
    for (name, slots) in jobs.iter().zip(dues) {
        scene.register(name, slots).await;
    }
    let taken = scene.drain(scene.at(8 * SLOTS)).await;
    assert_eq!(names(&taken), jobs);
    for (dispatch, slots) in taken.iter().zip(dues) {
        assert_eq!(dispatch.record.state.due_ms, scene.at(slots));
    }
    assert_eq!(scene.counts().await.in_flight, 6);
}

/// A scheduler whose clock is behind the others' takes nothing that is not due by its own.
pub async fn a_clock_behind_the_cursor_drains_nothing(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 5).await;
    assert!(scene.drain(scene.at(4)).await.is_empty());
    scene.register("b", 6).await;
    assert_eq!(names(&scene.drain(scene.at(5)).await), ["a"]);
    scene.store.run_now(&id("b")).await.expect("run_now");
    assert!(scene.drain(scene.at(2)).await.is_empty());
    assert_eq!(names(&scene.drain(scene.at(5)).await), ["b"]);
}

/// Not past now, and not back when somebody's clock is late.
pub async fn the_cursor_never_goes_back(store: SharedStore) {
    let scene = Scene::new(store);
    for (now, expected) in [(0, 0), (3, 3), (1, 3), (2, 3), (5, 5)] {
        let drained = scene.drain_once(scene.at(now)).await;
        let expected = scene.store.ring().current(scene.at(expected));
        assert_eq!((drained.cursor, drained.more), (expected, false));
    }
}

/// Evenly over its width, whoever asks, and from where others left off; what is asked for by hand
/// comes at once. Each part of a store may be one job ahead.
pub async fn a_slot_is_drained_over_its_width(store: SharedStore) {
    const JOBS: usize = 600;
    const PARTS: usize = 8;
    let scene = Scene::new(store);
    for number in 0..JOBS {
        scene.register(&format!("job-{number:03}"), 1).await;
    }
    scene.register("asked", 9).await;
    let width_ms = scene.store.ring().width_ms();
    // All that may be taken when so many percent of the width are over.
    let drain = async |percent: i64| {
        let (mut jobs, mut due_ms) = (Vec::new(), None);
        loop {
            let mut request = scene.request(scene.at(1) + width_ms * percent / 100);
            request.pace_ms = width_ms;
            let drained = scene.store.drain(request).await.expect("drain");
            due_ms.get_or_insert(drained.due_ms);
            jobs.extend(drained.jobs);
            if !drained.more {
                return (jobs, due_ms.expect("drained once"));
            }
        }
    };
    let (first, due_ms) = drain(0).await;
    assert!((1..=PARTS).contains(&first.len()), "{}", first.len());
    assert_eq!(due_ms, scene.at(1));
    assert!(drain(0).await.0.is_empty(), "no more at the same time");
    let (second, due_ms) = drain(25).await;
    let taken = first.len() + second.len();
    assert!((JOBS / 4..=JOBS / 4 + PARTS).contains(&taken), "{taken}");
    assert!((scene.at(1)..scene.at(1) + width_ms / 50).contains(&due_ms));
    scene.store.run_now(&id("asked")).await.expect("run now");
    assert_eq!(names(&drain(25).await.0), ["asked"]);
    let taken = taken + drain(75).await.0.len();
    assert!(
        (JOBS * 3 / 4..=JOBS * 3 / 4 + PARTS).contains(&taken),
        "{taken}"
    );
    assert_eq!(
        taken + drain(110).await.0.len(),
        JOBS,
        "the next slot has begun"
    );
}

/// Or a bound of the workers would turn the same ones away each time. The others keep their order.
pub async fn jobs_whose_poll_brought_nothing_get_other_neighbours(store: SharedStore) {
    let scene = Scene::new(store);
    let jobs: [_; 40] = scene.neighbours();
    for name in &jobs {
        scene.register(name, 1).await;
    }
    let polled = &jobs[..3];
    for dispatch in scene.drain(scene.at(1)).await {
        let mut settlement = completion(&dispatch, scene.at(3));
        if !polled.contains(&dispatch.record.id.to_string()) {
            settlement.context = None;
        }
        let verdict = scene.settle(settlement, scene.at(1)).await;
        assert_eq!(verdict, Verdict::Accepted);
    }
    let mut request = scene.request(scene.at(4));
    request.pace_ms = scene.store.ring().width_ms();
    let drained = scene.store.drain(request).await.expect("drain");
    let order = names(&drained.jobs);
    assert_eq!(order.len(), jobs.len());
    let places: Vec<_> = (0..order.len())
        .filter(|at| polled.contains(&order[*at].to_string()))
        .collect();
    assert!(places[0] > 0 && places[2] < jobs.len() - 1, "{order:?}");
    assert_eq!(places[2] - places[0], 2, "{order:?}");
}
