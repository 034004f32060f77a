//! Settling: a token is accepted at most once.

use std::collections::BTreeSet;

use super::scene::{Scene, completion, context, dead_letter, id, under};
use crate::store::{Hold, Next, Place, Settlement, SharedStore, Strike, Update, Verdict};

/// The first completion takes effect, its repeats change nothing.
pub async fn a_completion_is_accepted_once(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let settlement = Settlement {
        attempts: 2,
        ..completion(&dispatch, scene.at(6))
    };
    assert_eq!(
        scene.settle(settlement.clone(), scene.at(1) + 5).await,
        Verdict::Accepted
    );
    let record = scene.get("a").await;
    assert_eq!(
        (record.state.place, record.state.due_ms),
        (Place::Slot, scene.at(6))
    );
    assert_eq!((record.state.nonce, record.state.attempts), (None, 2));
    assert_eq!(
        (record.state.settled_ms, record.state.reason()),
        (scene.at(1) + 5, "polled")
    );
    assert_eq!(Some(&record.context), settlement.context.as_ref());

    let again = Settlement {
        next: Next::Remove,
        ..settlement
    };
    assert_eq!(scene.settle(again, scene.at(2)).await, Verdict::Stale);
    assert_eq!(scene.get("a").await, record);
}

/// Equality of the whole token: neither an older drain's nor a guessed one is accepted.
pub async fn a_completion_of_another_drain_is_stale(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let first = scene.drain_one(scene.at(1)).await;
    scene
        .settle(completion(&first, scene.at(2)), scene.at(1))
        .await;
    let second = scene.drain_one(scene.at(2)).await;
    let before = scene.get("a").await;
    let settlement = completion(&second, scene.at(9));
    let mut guessed = second.token;
    guessed.nonce = scene.nonce();
    let mut other_count = second.token;
    other_count.generation += 1;
    for token in [first.token, guessed, other_count] {
        assert_eq!(
            scene.settle(under(token, &settlement), scene.at(3)).await,
            Verdict::Stale
        );
    }
    assert_eq!(scene.get("a").await, before);
}

/// A job registered anew has nothing to do with the one that was removed.
pub async fn a_completion_of_another_life_is_told_apart(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    scene.store.remove(&id("a")).await.expect("remove");
    scene.register("a", 5).await;
    let before = scene.get("a").await;
    for late in [
        completion(&dispatch, scene.at(9)),
        dead_letter(&dispatch, scene.at(9), 1),
    ] {
        assert_eq!(
            scene.settle(late, scene.at(2)).await,
            Verdict::OtherIncarnation
        );
    }
    assert_eq!(scene.get("a").await, before);
}

/// A decision on rules that have changed since is not carried out.
pub async fn an_edit_makes_the_decision_be_made_again(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let update = Update {
        cushion: Some(Some(crate::ledger::Cushion::Calls(1))),
        due: [scene.at(9); 2],
        ..Update::default()
    };
    scene.store.update(&id("a"), update).await.expect("update");
    let before = scene.get("a").await;
    let settlement = completion(&dispatch, scene.at(6));
    assert_eq!(
        scene.settle(settlement.clone(), scene.at(2)).await,
        Verdict::Edited
    );
    assert_eq!(scene.get("a").await, before);
    let again = Settlement {
        revision: before.state.revision,
        ..settlement
    };
    assert_eq!(scene.settle(again, scene.at(2)).await, Verdict::Accepted);
}

/// Edits have no order: the revision of each is its own, on whichever job.
pub async fn each_edit_has_a_revision_of_its_own(store: SharedStore) {
    let scene = Scene::new(store);
    let mut seen = BTreeSet::from([0]);
    for name in ["a", "b"] {
        scene.register(name, 1).await;
        let (id, due) = (id(name), [scene.at(3); 2]);
        let store = &scene.store;
        let revision = async || scene.get(name).await.state.revision;
        store.update(&id, Update::default()).await.expect("update");
        assert!(seen.insert(revision().await), "update");
        store
            .hold(&id, Hold::Paused, "by hand")
            .await
            .expect("hold");
        assert!(seen.insert(revision().await), "hold");
        store.resume(&id, due).await.expect("resume");
        assert!(seen.insert(revision().await), "resume");
        store.run_now(&id).await.expect("run now");
        assert!(seen.insert(revision().await), "run now");
        let replaced = store.replace_context(&id, context("{}"), scene.nonce(), due);
        replaced.await.expect("replace the context");
        assert!(seen.insert(revision().await), "replace the context");
    }
}

/// A failed poll leaves the context as it was.
pub async fn a_completion_without_a_context_keeps_the_old(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let settlement = Settlement {
        context: None,
        ..completion(&dispatch, scene.at(6))
    };
    assert_eq!(
        scene.settle(settlement, scene.at(1)).await,
        Verdict::Accepted
    );
    assert_eq!(scene.get("a").await.context, context("{\"seen\":0}"));
}

/// A rule may remove a job.
pub async fn a_job_may_leave_with_its_completion(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let settlement = Settlement {
        next: Next::Remove,
        ..completion(&dispatch, 0)
    };
    assert_eq!(
        scene.settle(settlement.clone(), scene.at(1)).await,
        Verdict::Accepted
    );
    assert_eq!(scene.find("a").await, None);
    assert_eq!(
        scene.settle(settlement, scene.at(1)).await,
        Verdict::Unknown
    );
    assert_eq!(scene.counts().await.registered, 0);
}

/// Into the cursor's own slot, and so out again within it.
pub async fn now_means_the_drain_that_runs(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let settlement = Settlement {
        next: Next::Now,
        ..completion(&dispatch, 0)
    };
    assert_eq!(
        scene.settle(settlement, scene.at(1)).await,
        Verdict::Accepted
    );
    let state = scene.get("a").await.state;
    assert_eq!((state.place, state.due_ms), (Place::Slot, scene.at(1)));
    assert_eq!(scene.drain_one(scene.at(1) + 1).await.token.generation, 2);
}

/// The dead letter that reaches the limit takes the job out of the cycle.
pub async fn strikes_lead_to_quarantine(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    for round in 1..=3 {
        let now_ms = scene.at(round);
        let dispatch = scene.drain_one(now_ms).await;
        let settlement = dead_letter(&dispatch, now_ms + 1, 3);
        assert_eq!(scene.settle(settlement, now_ms).await, Verdict::Accepted);
        let state = scene.get("a").await.state;
        assert_eq!(i64::from(state.strikes), round);
        let held = matches!(state.place, Place::Held(Hold::Quarantined));
        assert_eq!(held, round == 3, "{state:?}");
    }
    assert!(scene.drain(scene.at(9)).await.is_empty());
    let resumed = scene.store.resume(&id("a"), [scene.at(12); 2]).await;
    resumed.expect("resume");
    assert_eq!(scene.get("a").await.state.strikes, 0);
    scene.counts().await;
}

/// A job whose messages never settle is found by its dead letters, wherever it is by then.
pub async fn stale_dead_letters_are_strikes(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let first = scene.drain_one(scene.at(1)).await;
    scene
        .settle(completion(&first, scene.at(2)), scene.at(1))
        .await;
    let second = scene.drain_one(scene.at(2)).await;
    let late = dead_letter(&first, scene.at(9), 2);
    assert_eq!(
        scene.settle(late.clone(), scene.at(3)).await,
        Verdict::Stale
    );
    let state = scene.get("a").await.state;
    assert_eq!((state.strikes, state.place), (1, second.record.state.place));
    assert_eq!(scene.settle(late, scene.at(3)).await, Verdict::Stale);
    let state = scene.get("a").await.state;
    assert_eq!(
        (state.strikes, state.place),
        (2, Place::Held(Hold::Quarantined))
    );
    assert_eq!(state.token(), Some(second.token));
    assert_eq!(scene.counts().await.held, 1);
}

/// Only dead letters in a row count.
pub async fn a_completion_clears_strikes(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let strike = scene.drain_one(scene.at(1)).await;
    scene
        .settle(dead_letter(&strike, scene.at(2), 2), scene.at(1))
        .await;
    let success = scene.drain_one(scene.at(2)).await;
    assert_eq!(success.record.state.strikes, 1);
    let settlement = Settlement {
        strike: Strike::Clear,
        ..completion(&success, scene.at(3))
    };
    scene.settle(settlement, scene.at(2)).await;
    assert_eq!(scene.get("a").await.state.strikes, 0);
}

/// One verdict each, in order; the second of two equal completions sees the first.
pub async fn a_batch_is_answered_in_order(store: SharedStore) {
    let scene = Scene::new(store);
    for name in ["a", "b", "c"] {
        scene.register(name, 1).await;
    }
    let taken = scene.drain(scene.at(1)).await;
    scene.store.remove(&id("b")).await.expect("remove");
    let mut batch: Vec<_> = taken
        .iter()
        .map(|one| completion(one, scene.at(6)))
        .collect();
    batch.push(batch[0].clone());
    batch.push(Settlement {
        revision: 7,
        ..batch[2].clone()
    });
    let verdicts = scene
        .store
        .settle(batch, scene.at(2))
        .await
        .expect("settle");
    let expected = [
        Verdict::Accepted,
        Verdict::Unknown,
        Verdict::Accepted,
        Verdict::Stale,
        Verdict::Stale,
    ];
    assert_eq!(verdicts, expected);
    assert!(
        scene
            .store
            .settle(Vec::new(), scene.at(2))
            .await
            .expect("settle")
            .is_empty()
    );
    scene.counts().await;
}
