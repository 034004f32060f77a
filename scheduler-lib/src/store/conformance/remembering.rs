//! What a record remembers of earlier polls and placements.

use std::time::Duration;

use polling_model::ScopeKey;

use super::{
    START_MS,
    scene::{Scene, completion, context, id},
};
use crate::{
    policy::adaptive::{Activity, Model},
    store::{
        Hold, MAX_BOUND_SCOPES, MAX_HISTORY_SIZE_BYTES, MAX_REASON_SIZE_BYTES, MAX_REASONS, Next,
        Postponed, Settlement, SharedStore, Update, Verdict,
    },
};

fn scopes(keys: &[&str]) -> Vec<ScopeKey> {
    let keys = keys.iter().map(ScopeKey::new);
    keys.map(|key| key.expect("the cases use valid scopes"))
        .collect()
}

/// Known, replaced, kept, forgotten; never more than the bound.
pub async fn a_job_is_bound_to_the_scopes_that_it_was_told_last(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    assert_eq!(scene.get("a").await.state.scopes, []);
    let longest = "x".repeat(polling_model::caps::MAX_SCOPE_LEN);
    let five = [longest.as_str(), "-", "account:a/b@c~d=e+f", "app", "fifth"];
    for (round, (told, kept)) in [
        (Some(&["app"][..]), &["app"][..]),
        (None, &["app"]),
        (Some(&five), &five[..MAX_BOUND_SCOPES]),
        (Some(&["-"]), &["-"]),
        (Some(&[]), &[]),
        (None, &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let now_ms = scene.at(round as i64 + 1);
        let dispatch = scene.drain_one(now_ms).await;
        let settlement = Settlement {
            scopes: told.map(scopes),
            ..completion(&dispatch, now_ms + 1)
        };
        assert_eq!(scene.settle(settlement, now_ms).await, Verdict::Accepted);
        let states = scene.store.load(&[id("a")]).await.expect("load");
        let state = states[0].as_ref().expect("registered");
        assert_eq!(state.scopes, scopes(kept), "round {round}");
    }
}

/// To the bit; a completion that tells nothing leaves it alone.
pub async fn a_jobs_activity_is_kept(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    assert_eq!(scene.get("a").await.state.activity, None);
    let model = Model::new(Duration::from_secs(24 * 3_600));
    let seen = Activity::since(START_MS).polled(scene.at(1), &[START_MS + 12_345], &model);
    let next = seen.polled(scene.at(3), &[], &model);
    for (slots, told, kept) in [
        (1, Some(seen), seen),
        (2, None, seen),
        (3, Some(next), next),
    ] {
        let dispatch = scene.drain_one(scene.at(slots)).await;
        let settlement = Settlement {
            activity: told,
            ..completion(&dispatch, scene.at(slots + 1))
        };
        scene.settle(settlement, scene.at(slots)).await;
        assert_eq!(scene.get("a").await.state.activity, Some(kept));
    }
}

/// Neither a step of the cycle nor an edit forgets what the channel told.
pub async fn scopes_and_activity_outlast_every_other_step(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let told = (scopes(&["app", "account:42"]), Activity::since(START_MS));
    let settlement = Settlement {
        scopes: Some(told.0.clone()),
        activity: Some(told.1),
        ..completion(&dispatch, scene.at(2))
    };
    scene.settle(settlement, scene.at(1)).await;
    let kept = async |step| {
        let state = scene.get("a").await.state;
        assert_eq!(
            (&state.scopes, state.activity),
            (&told.0, Some(told.1)),
            "{step}"
        );
    };
    let (a, due) = (id("a"), [scene.at(9); 2]);
    let store = &scene.store;
    let dispatch = scene.drain_one(scene.at(2)).await;
    kept("drain").await;
    let postponed = Postponed {
        id: a.clone(),
        token: dispatch.token,
        due_ms: scene.at(3),
        reason: String::new(),
    };
    store
        .postpone(vec![postponed], scene.at(2))
        .await
        .expect("postpone");
    kept("postpone").await;
    scene.drain_one(scene.at(3)).await;
    store
        .reap(scene.at(50), 10, scene.at(50))
        .await
        .expect("reap");
    kept("reap").await;
    store.hold(&a, Hold::Paused, "by hand").await.expect("hold");
    store.resume(&a, due).await.expect("resume");
    kept("resume").await;
    store.update(&a, Update::default()).await.expect("update");
    kept("update").await;
    let replaced = store.replace_context(&a, context("{}"), scene.nonce(), due);
    replaced.await.expect("replace the context");
    store.run_now(&a).await.expect("run now");
    kept("replace the context").await;
}

/// Newest first; with its time where the step has one.
pub async fn a_record_tells_its_last_placements(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let dispatch = scene.drain_one(scene.at(1)).await;
    let told = async || {
        let reasons = scene.get("a").await.state.reasons;
        let told = reasons
            .iter()
            .map(|reason| (reason.at_ms, reason.text.to_string()));
        told.collect::<Vec<_>>()
    };
    let reason = |at_ms, text: &str| (at_ms, text.to_owned());
    let registered = reason(Some(START_MS), "registered");
    let only = std::slice::from_ref(&registered);
    assert_eq!(told().await, only, "a drain adds none");
    scene
        .settle(completion(&dispatch, scene.at(2)), scene.at(1) + 5)
        .await;
    scene.drain_one(scene.at(2)).await;
    let reaped = scene.store.reap(scene.at(50), 10, scene.at(50)).await;
    assert_eq!(reaped.expect("reap"), 1);
    let held = scene.store.hold(&id("a"), Hold::Paused, "by hand").await;
    held.expect("hold");
    assert_eq!(
        told().await,
        [
            reason(None, "by hand"),
            reason(Some(scene.at(50)), "no answer came in time: polled again"),
            reason(Some(scene.at(1) + 5), "polled"),
        ]
    );
}

/// The oldest make room, whole.
pub async fn reasons_are_bounded_in_number_and_size(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let now_ms = scene.at(1);
    let settled = async |reason: &str| {
        let dispatch = scene.drain_one(now_ms).await;
        let settlement = Settlement {
            next: Next::Now,
            reason: reason.to_owned(),
            ..completion(&dispatch, 0)
        };
        scene.settle(settlement, now_ms).await;
        let reasons = scene.get("a").await.state.reasons;
        let texts = reasons.iter().map(|reason| reason.text.to_string());
        texts.collect::<Vec<_>>()
    };
    for short in ["one", "two", "three", "four"] {
        settled(short).await;
    }
    let most = ["five", "four", "three", "two", "one"];
    assert_eq!(settled("five").await, most);
    assert_eq!(most.len(), MAX_REASONS);
    assert_eq!(
        settled("six").await,
        ["six", "five", "four", "three", "two"]
    );

    let [a, b, c] = ["a", "b", "c"].map(|letter| letter.repeat(MAX_REASON_SIZE_BYTES));
    let time = format!("{now_ms} ").len();
    // A line's end before each but the first.
    let left = MAX_HISTORY_SIZE_BYTES - 3 * (time + a.len() + 1) - time;
    let fits = "f".repeat(left);
    for reason in [&fits, &a, &b] {
        settled(reason).await;
    }
    assert_eq!(settled(&c).await, [&*c, &b, &a, &fits]);
    for reason in [&"n".repeat(left + 1), &a, &b] {
        settled(reason).await;
    }
    assert_eq!(settled(&c).await, [c, b, a]);
}

/// A job that is placed for the same reason again and again keeps those from before; of its
/// beginning nothing is left.
pub async fn the_same_reason_again_only_moves_its_time(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    for (slots, reason) in [(1, "late"), (2, "polled"), (3, "polled")] {
        let dispatch = scene.drain_one(scene.at(slots)).await;
        let settlement = Settlement {
            reason: reason.to_owned(),
            ..completion(&dispatch, scene.at(slots + 1))
        };
        scene.settle(settlement, scene.at(slots)).await;
    }
    let reasons = scene.get("a").await.state.reasons;
    let told: Vec<_> = reasons.iter().map(|one| (one.at_ms, &*one.text)).collect();
    let polled = (Some(scene.at(3)), "polled");
    assert_eq!(told, [polled, (Some(scene.at(1)), "late")]);
}

/// A line each, cut at a character.
pub async fn a_reason_is_one_line_within_its_bound(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    let odd = format!("r{}", "é".repeat(MAX_REASON_SIZE_BYTES / 2));
    for (reason, kept) in [
        ("two\nlines\r\n\n", "two lines\r  "),
        ("", ""),
        ("  spaces  ", "  spaces  "),
        (&odd, &odd[..MAX_REASON_SIZE_BYTES - 1]),
    ] {
        let dispatch = {
            scene.store.run_now(&id("a")).await.expect("run now");
            scene.drain_one(scene.at(9)).await
        };
        let settlement = Settlement {
            reason: reason.to_owned(),
            revision: dispatch.record.state.revision,
            ..completion(&dispatch, scene.at(20))
        };
        assert_eq!(
            scene.settle(settlement, scene.at(9)).await,
            Verdict::Accepted
        );
        let state = scene.get("a").await.state;
        assert_eq!(state.reason(), kept);
        assert_eq!(&*state.reasons[1].text, "run now");
    }
}
