//! Postponing: what was drained and will not be sent goes on in its cycle, without a call.

use polling_model::{Token, caps::SLOTS};

use super::scene::{Scene, completion, context, dead_letter, id, names};
use crate::store::{Dispatch, Hold, MAX_CHUNK, Place, Postponed, Settlement, SharedStore, Verdict};

/// To be due at `due_ms`.
fn postponed(dispatch: &Dispatch, due_ms: i64) -> Postponed {
    Postponed {
        id: dispatch.record.id.clone(),
        token: dispatch.token,
        due_ms,
        reason: "no allowance".to_owned(),
    }
}

impl Scene {
    /// How many of them were placed.
    async fn postpone(&self, jobs: Vec<Postponed>, now_ms: i64) -> usize {
        self.store.postpone(jobs, now_ms).await.expect("postpone")
    }

    /// A job that has failed, drained in the second slot.
    async fn drained_after_a_failure(&self, name: &str) -> Dispatch {
        self.register(name, 1).await;
        let dispatch = self.drain_one(self.at(1)).await;
        let failure = Settlement {
            attempts: 2,
            ..dead_letter(&dispatch, self.at(2), 9)
        };
        self.settle(failure, self.at(1)).await;
        self.drain_one(self.at(2)).await
    }
}

/// Its token is spent, and only that: it was not polled.
pub async fn a_postponed_job_waits_anew_and_its_token_is_spent(store: SharedStore) {
    let scene = Scene::new(store);
    let dispatch = scene.drained_after_a_failure("a").await;
    let before = scene.get("a").await.state;
    let jobs = vec![postponed(&dispatch, scene.at(5))];
    assert_eq!(scene.postpone(jobs, scene.at(2) + 7).await, 1);
    let state = scene.get("a").await.state;
    assert_eq!((state.place, state.due_ms), (Place::Slot, scene.at(5)));
    assert_eq!((state.reason(), state.nonce), ("no allowance", None));
    assert_eq!(state.reasons[0].at_ms, Some(scene.at(2) + 7));
    let kept = |state: &crate::store::JobState| {
        let counts = (state.attempts, state.strikes, state.generation);
        (counts, state.settled_ms, state.revision)
    };
    assert_eq!(kept(&state), kept(&before));
    assert_eq!(kept(&state).0, (2, 1, 2));

    let late = completion(&dispatch, scene.at(9));
    assert_eq!(scene.settle(late, scene.at(3)).await, Verdict::Stale);
    assert!(scene.drain(scene.at(4)).await.is_empty());
    let again = scene.drain_one(scene.at(5)).await;
    assert_eq!(again.token.generation, 3);
    assert_eq!(again.record.context, dispatch.record.context);
    scene.counts().await;
}

/// A spent token places nothing, in the same call or another; nor does a guessed one.
pub async fn postponing_again_changes_nothing(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let first = postponed(&dispatch, scene.at(5));
    let under = |token: Token| Postponed {
        token,
        ..postponed(&dispatch, scene.at(7))
    };
    let guessed = under(Token {
        nonce: scene.nonce(),
        ..dispatch.token
    });
    let other_count = under(Token {
        generation: 2,
        ..dispatch.token
    });
    let other_life = under(Token {
        incarnation: scene.nonce(),
        ..dispatch.token
    });
    let second = under(dispatch.token);
    let jobs = vec![guessed, other_count, other_life, first, second.clone()];
    assert_eq!(scene.postpone(jobs, scene.at(1)).await, 1);
    let before = scene.get("a").await;
    assert_eq!(before.state.due_ms, scene.at(5));
    assert_eq!(scene.postpone(vec![second], scene.at(2)).await, 0);
    assert_eq!(scene.postpone(Vec::new(), scene.at(2)).await, 0);
    assert_eq!(scene.get("a").await, before);
    scene.counts().await;
}

/// Held by hand meanwhile, it stays so with all that it has; and so does one that was reaped.
pub async fn a_job_that_is_not_in_flight_is_not_postponed(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let untouched = async || {
        let before = scene.get("a").await;
        assert_eq!(before.state.token(), Some(dispatch.token));
        let jobs = vec![postponed(&dispatch, scene.at(60))];
        assert_eq!(scene.postpone(jobs, scene.at(2)).await, 0);
        assert_eq!(scene.get("a").await, before);
    };
    let reaped = scene.store.reap(scene.at(50), 10, scene.at(50)).await;
    assert_eq!(reaped.expect("reap"), 1);
    untouched().await;
    let paused = scene.store.hold(&id("a"), Hold::Paused, "by hand").await;
    paused.expect("hold");
    untouched().await;
    assert_eq!(scene.place("a").await, Place::Held(Hold::Paused));
}

/// Removed, registered anew, or with another context: it is no longer the job that was drained.
pub async fn a_job_of_another_life_is_not_postponed(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let untouched = async || {
        let before = scene.find("a").await;
        let jobs = vec![postponed(&dispatch, scene.at(60))];
        assert_eq!(scene.postpone(jobs, scene.at(2)).await, 0);
        assert_eq!(scene.find("a").await, before);
    };
    let due = [scene.at(2); 2];
    let context = context("{\"by\":\"hand\"}");
    let (a, nonce) = (id("a"), scene.nonce());
    let replaced = scene.store.replace_context(&a, context, nonce, due);
    replaced.await.expect("replace the context");
    untouched().await;
    scene.drain_one(scene.at(2)).await;
    untouched().await;
    scene.store.remove(&a).await.expect("remove");
    untouched().await;
    scene.register("a", 3).await;
    scene.drain_one(scene.at(3)).await;
    untouched().await;
}

/// Asked for while it was in flight, the run comes at once, and once.
pub async fn a_run_asked_for_meanwhile_comes_at_once(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    scene.store.run_now(&id("a")).await.expect("run_now");
    let jobs = vec![postponed(&dispatch, scene.at(9))];
    assert_eq!(scene.postpone(jobs, scene.at(1) + 1).await, 1);
    let state = scene.get("a").await.state;
    assert_eq!((state.place, state.due_ms), (Place::Slot, scene.at(1)));
    assert_eq!((state.reason(), state.run_now), ("run now", false));
    let again = scene.drain_one(scene.at(1) + 2).await;
    let jobs = vec![postponed(&again, scene.at(9))];
    assert_eq!(scene.postpone(jobs, scene.at(1) + 3).await, 1);
    assert_eq!(scene.get("a").await.state.due_ms, scene.at(9));
}

/// By the rule of every placement: after the cursor, and beyond the ring's reach later.
pub async fn a_job_may_be_postponed_to_any_time(store: SharedStore) {
    let scene = Scene::new(store);
    for name in ["past", "ring", "beyond"] {
        scene.register(name, 1).await;
    }
    let taken = scene.drain(scene.at(1)).await;
    assert_eq!(names(&taken), ["beyond", "past", "ring"]);
    let due = [2 * SLOTS, -3, SLOTS];
    let jobs = taken.iter().zip(due);
    let jobs = jobs.map(|(one, slots)| postponed(one, scene.at(slots)));
    assert_eq!(scene.postpone(jobs.collect(), scene.at(1)).await, 3);
    for (name, place, slots) in [
        ("past", Place::Slot, 2),
        ("ring", Place::Slot, SLOTS),
        ("beyond", Place::Later, 2 * SLOTS),
    ] {
        let state = scene.get(name).await.state;
        assert_eq!(
            (state.place, state.due_ms),
            (place, scene.at(slots)),
            "{name}"
        );
    }
    let counts = scene.counts().await;
    assert_eq!((counts.slots, counts.later, counts.in_flight), (2, 1, 0));
    assert_eq!(names(&scene.drain(scene.at(3 * SLOTS)).await).len(), 3);
}

/// Whoever claims the note of a scheduler that died before it struck the jobs off.
pub async fn a_claimed_note_sends_nothing_that_was_postponed(store: SharedStore) {
    let scene = Scene::new(store);
    let [a, b] = &scene.neighbours();
    for name in [a, b] {
        scene.register(name, 1).await;
    }
    let taken = scene.drain(scene.at(1)).await;
    let claim = async |slots| {
        let claimed = scene.store.claim_note(scene.at(slots), scene.at(slots + 1));
        claimed.await.expect("claim_note").expect("it is overdue")
    };
    for (number, left) in [vec![b.as_str()], vec![]].into_iter().enumerate() {
        let jobs = vec![postponed(&taken[number], scene.at(30))];
        assert_eq!(scene.postpone(jobs, scene.at(1)).await, 1);
        assert_eq!(scene.counts().await.open_notes, 1);
        assert_eq!(names(&claim(4 + number as i64).await.jobs), left);
    }
    assert_eq!(scene.counts().await.open_notes, 0);
}

/// As many as there are, each placed once.
pub async fn more_jobs_than_a_chunk_are_postponed(store: SharedStore) {
    let scene = Scene::new(store);
    let jobs = MAX_CHUNK * 2 + 1;
    for number in 0..jobs {
        scene.register(&format!("job-{number:03}"), 1).await;
    }
    let taken = scene.drain(scene.at(1)).await;
    assert_eq!(taken.len(), jobs);
    let placed = taken.iter().enumerate();
    let placed = placed.map(|(number, one)| postponed(one, scene.at(2 + number as i64 % 7)));
    assert_eq!(scene.postpone(placed.collect(), scene.at(1)).await, jobs);
    let counts = scene.counts().await;
    assert_eq!((counts.slots, counts.in_flight), (jobs as u64, 0));
    assert_eq!(scene.sweep(50).await, 0);
    assert_eq!(scene.drain(scene.at(9)).await.len(), jobs);
}
