//! Reading, counting, sweeping, and what is kept for the operator.

use std::collections::BTreeSet;

use futures_util::future::join;
use polling_model::caps::SLOTS;

use super::scene::{Scene, completion, context, id};
use crate::store::{
    Burst, Edited, Hold, ListCursor, MAX_BURSTS, MAX_REASON_SIZE_BYTES, MAX_UNDECODABLE, NewJob,
    Next, Settlement, SharedStore, StoreError, Undecodable,
};

/// Every job, in pages of any size.
pub async fn all_jobs_are_listed_in_pages(store: SharedStore) {
    let scene = Scene::new(store);
    let names = (0..200).map(|number| format!("job-{number}"));
    let names: BTreeSet<_> = names
        .chain(["a:1", "a", "B", "a/2"].map(String::from))
        .collect();
    for name in &names {
        scene.register(name, 3).await;
    }
    for limit in [1, 7, 1_000] {
        let listed = scene.list(limit).await;
        let told: BTreeSet<_> = listed.iter().map(|record| record.id.to_string()).collect();
        assert_eq!(told, names, "in pages of {limit}");
        let one = listed.iter().find(|record| record.id == id("a"));
        assert_eq!(one, Some(&scene.get("a").await));
    }
}

/// A page begins only where another said so.
pub async fn a_page_that_begins_nowhere_is_refused(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 3).await;
    let nowhere = ListCursor("{nowhere}".to_owned());
    let refused = scene.store.list(Some(&nowhere), 10).await;
    assert!(matches!(refused, Err(StoreError::Cursor(_))), "{refused:?}");
}

/// Only those, each once, and no more of one that was resumed.
pub async fn held_jobs_are_listed_alone(store: SharedStore) {
    let scene = Scene::new(store);
    let mut names = BTreeSet::new();
    for number in 0..150 {
        let name = format!("job-{number}");
        scene.register(&name, 3).await;
        if number % 2 == 0 {
            let hold = Hold::ALL[number / 2 % Hold::ALL.len()];
            let held = scene.store.hold(&id(&name), hold, "away").await;
            assert_eq!(held.expect("hold"), Edited::Done);
            names.insert(name);
        }
    }
    let resumed = scene.store.resume(&id("job-0"), [scene.at(3); 2]).await;
    assert_eq!(resumed.expect("resume"), Edited::Done);
    names.remove("job-0");
    for limit in [1, 40, 1_000] {
        let (mut told, mut from) = (Vec::new(), None);
        loop {
            let page = scene.store.held(from.as_ref(), limit).await.expect("held");
            told.extend(page.records);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        let ids: BTreeSet<_> = told.iter().map(|record| record.id.to_string()).collect();
        assert_eq!(ids, names, "in pages of {limit}");
        assert_eq!(told.len(), names.len(), "each once");
    }
    let nowhere = ListCursor("{nowhere}".to_owned());
    let refused = scene.store.held(Some(&nowhere), 10).await;
    assert!(matches!(refused, Err(StoreError::Cursor(_))), "{refused:?}");
}

/// One answer for each id, unknown ones and repeats included.
pub async fn states_are_loaded_in_the_order_asked_for(store: SharedStore) {
    let scene = Scene::new(store);
    scene.register("a", 1).await;
    scene.register("b", 2).await;
    let ids = ["b", "none", "a", "b"].map(id);
    let states = scene.store.load(&ids).await.expect("load");
    let mut expected = Vec::new();
    for one in &ids {
        expected.push(scene.find(one.as_str()).await.map(|record| record.state));
    }
    assert_eq!(states, expected);
}

/// By type; of the cursor's slot what is left.
pub async fn what_is_due_soon_is_told_by_type(store: SharedStore) {
    let scene = Scene::new(store);
    for number in 0..90 {
        let mut job = scene.new_job(&format!("job-{number}"), [scene.at(1 + number % 3); 2]);
        if number % 2 == 1 {
            job.job_type = "likes".parse().expect("a valid job type");
        }
        scene.register_as(job).await;
    }
    let due = async |slots| {
        let due = scene.store.due_within(slots).await.expect("look ahead");
        let due = due
            .into_iter()
            .map(|(job_type, jobs)| (job_type.to_string(), jobs));
        due.collect::<Vec<_>>()
    };
    let told = |likes, posts| vec![("likes".to_owned(), likes), ("posts".to_owned(), posts)];
    assert_eq!(due(0).await, []);
    assert_eq!(due(2).await, told(30, 30));
    assert_eq!(due(5_000).await, told(45, 45));
    scene.drain(scene.at(2)).await;
    assert_eq!(due(1).await, told(15, 15));
}

/// What is held or in flight is in no slot; of the cursor's slot what is left counts.
pub async fn loads_are_told_slot_by_slot(store: SharedStore) {
    let scene = Scene::new(store);
    for (number, ahead) in [1, 1, 1, 5, 1_439, 1_439, 1_441].into_iter().enumerate() {
        let job = scene.new_job(&format!("job-{number}"), [scene.at(ahead); 2]);
        scene.register_as(job).await;
    }
    let held = scene
        .store
        .hold(&id("job-1"), Hold::Paused, "by hand")
        .await;
    held.expect("hold");
    let full = async || {
        let loads = scene.store.loads().await.expect("loads");
        assert!(loads.jobs.len() >= SLOTS as usize);
        let slots = (loads.cursor..).zip(loads.jobs);
        let full = slots.filter(|(_, jobs)| *jobs > 0);
        full.collect::<Vec<_>>()
    };
    let slot = |ahead| scene.store.ring().slot_of(scene.at(ahead)).0;
    assert_eq!(full().await, [(slot(1), 2), (slot(5), 1), (slot(1_439), 2)]);
    let taken = scene.drain(scene.at(1)).await.len();
    let mut left = full().await;
    left.retain(|(slot_of, _)| *slot_of < slot(6));
    assert_eq!(taken, 2);
    assert_eq!(left, [(slot(5), 1)]);
}

/// A sweep among all kinds of places, small steps and large, finds nothing to mend.
pub async fn a_healthy_store_needs_no_repair(store: SharedStore) {
    let scene = Scene::new(store);
    for number in 0..40 {
        scene
            .register(&format!("job-{number}"), number % 4 * 600 + 1)
            .await;
    }
    scene
        .store
        .hold(&id("job-1"), Hold::Paused, "by hand")
        .await
        .expect("hold");
    let taken = scene.drain(scene.at(1)).await;
    let step = async |number: usize, dispatch| {
        let next = match number % 4 {
            0 => Next::Due(scene.at(3 * SLOTS)),
            1 => Next::Hold(Hold::Parked),
            2 => Next::Now,
            _ => Next::Remove,
        };
        let settlement = Settlement {
            next,
            ..completion(dispatch, 0)
        };
        scene.settle(settlement, scene.at(1)).await;
    };
    for (number, dispatch) in taken.iter().enumerate().skip(1) {
        let (repaired, ()) = join(scene.sweep(7), step(number, dispatch)).await;
        assert_eq!(repaired, 0);
    }
    for limit in [1, 3, 1_000] {
        assert_eq!(scene.sweep(limit).await, 0);
    }
    scene.counts().await;
}

/// Whatever steps run at once, no job is lost and none doubled.
pub async fn jobs_add_up_whatever_happens_at_once(store: SharedStore) {
    let scene = Scene::new(store);
    for number in 0..60 {
        scene
            .register(&format!("job-{number:02}"), number % 3 + 1)
            .await;
    }
    let cycle = async || {
        for slots in 1..=6 {
            for dispatch in scene.drain(scene.at(slots)).await {
                let due_ms = scene.at(slots + dispatch.record.id.as_str().len() as i64 % 3);
                scene
                    .settle(completion(&dispatch, due_ms), scene.at(slots))
                    .await;
                scene.counts().await;
            }
        }
    };
    let edit = async || {
        for number in (0..60).step_by(7) {
            let one = id(&format!("job-{number:02}"));
            scene
                .store
                .hold(&one, Hold::Paused, "by hand")
                .await
                .expect("hold");
            scene.store.run_now(&one).await.expect("run_now");
            scene
                .store
                .reap(scene.at(4), 3, scene.at(4))
                .await
                .expect("reap");
            assert_eq!(scene.sweep(50).await, 0);
        }
    };
    join(join(cycle(), cycle()), edit()).await;
    assert_eq!(scene.counts().await.registered, 60);
    assert_eq!(
        scene
            .list(100)
            .await
            .iter()
            .map(|record| &record.id)
            .collect::<BTreeSet<_>>()
            .len(),
        60
    );
}

/// Newest first, each once, the oldest make room.
pub async fn undecodable_messages_are_kept_once_and_bounded(store: SharedStore) {
    let scene = Scene::new(store);
    let message = |number: usize, body: &str| Undecodable {
        message_id: format!("message-{number}"),
        kept_ms: scene.at(number as i64),
        error: "no JSON".to_owned(),
        body: body.to_owned(),
    };
    let keep = async |one| {
        scene
            .store
            .keep_undecodable(one)
            .await
            .expect("keep_undecodable");
    };
    keep(message(0, "\u{fffe} {\"")).await;
    keep(message(1, "b")).await;
    keep(message(0, "again")).await;
    let kept = scene.store.undecodable(10).await.expect("undecodable");
    assert_eq!(kept, [message(1, "b"), message(0, "\u{fffe} {\"")]);
    for number in 2..MAX_UNDECODABLE + 2 {
        keep(message(number, "c")).await;
    }
    let kept = scene
        .store
        .undecodable(MAX_UNDECODABLE + 10)
        .await
        .expect("undecodable");
    assert_eq!(
        (kept.len(), kept[0].message_id.as_str()),
        (MAX_UNDECODABLE, "message-1001")
    );
    assert_eq!(
        scene.store.undecodable(3).await.expect("undecodable").len(),
        3
    );
    assert!(
        scene
            .store
            .undecodable(0)
            .await
            .expect("undecodable")
            .is_empty()
    );
}

/// One is found by its id, and can be forgotten; then it may be kept anew.
pub async fn an_undecodable_message_is_found_and_forgotten(store: SharedStore) {
    let scene = Scene::new(store);
    let message = |number: usize| Undecodable {
        message_id: format!("message-{number}"),
        kept_ms: scene.at(1) + number as i64,
        error: "no JSON".to_owned(),
        body: "{".to_owned(),
    };
    for number in 0..3 {
        let kept = scene.store.keep_undecodable(message(number)).await;
        kept.expect("keep_undecodable");
    }
    let found = async |id: &str| {
        let found = scene.store.undecodable_message(id).await;
        found.expect("undecodable_message")
    };
    let forget = async |id: &str| {
        let forgotten = scene.store.forget_undecodable(id).await;
        forgotten.expect("forget_undecodable")
    };
    assert_eq!(found("message-1").await, Some(message(1)));
    assert_eq!(found("message-7").await, None);
    assert!(forget("message-1").await);
    assert!(!forget("message-1").await && !forget("message-7").await);
    assert_eq!(found("message-1").await, None);
    let told = async || scene.store.undecodable(10).await.expect("undecodable");
    assert_eq!(told().await, [message(2), message(0)]);
    let again = scene.store.keep_undecodable(message(1)).await;
    again.expect("keep_undecodable");
    assert_eq!(told().await.len(), 3);
}

/// The newest bursts are kept, and told first.
pub async fn bursts_are_kept_newest_first_and_bounded(store: SharedStore) {
    let scene = Scene::new(store);
    let burst = |number: usize| Burst {
        at_ms: scene.at(1) + number as i64,
        id: id("a"),
        account: "42".parse().expect("a valid account"),
        events: number as u64,
        waited_ms: Some(300_000),
        next_ms: Some(scene.at(2)),
    };
    let note = async |numbers: std::ops::Range<usize>| {
        let bursts = numbers.map(burst).collect();
        scene.store.note_bursts(bursts).await.expect("note_bursts");
    };
    let told = async |limit| scene.store.bursts(limit).await.expect("bursts");
    assert!(told(10).await.is_empty());
    note(0..0).await;
    note(0..3).await;
    assert_eq!(told(10).await, [burst(2), burst(1), burst(0)]);
    assert_eq!(told(1).await, [burst(2)]);
    assert!(told(0).await.is_empty());
    note(3..MAX_BURSTS + 2).await;
    let all = told(MAX_BURSTS + 10).await;
    assert_eq!(all.len(), MAX_BURSTS);
    assert_eq!(all[0], burst(MAX_BURSTS + 1));
    assert_eq!(all[MAX_BURSTS - 1], burst(2));
}

/// Nothing is cut off but what is over its bound, and a short reason replaces a long one.
pub async fn long_reasons_and_contexts_survive(store: SharedStore) {
    let scene = Scene::new(store);
    let large = context(&format!("{{\"x\":\"{}\"}}", "y".repeat(200_000)));
    let job = NewJob {
        context: large.clone(),
        ..scene.new_job("a", [scene.at(1); 2])
    };
    scene.register_as(job).await;
    assert_eq!(scene.get("a").await.context, large);
    let resume = async || {
        scene
            .store
            .resume(&id("a"), [scene.at(1); 2])
            .await
            .expect("resume")
    };
    for size_bytes in [MAX_REASON_SIZE_BYTES, 0, 63, 64, 65, 128, 1] {
        let mut reason = "é".repeat(size_bytes / 2);
        reason.push_str(&"r".repeat(size_bytes % 2));
        scene
            .store
            .hold(&id("a"), Hold::Paused, &reason)
            .await
            .expect("hold");
        assert_eq!(scene.get("a").await.state.reason(), reason);
        resume().await;
        assert_eq!(scene.get("a").await.state.reason(), "resumed");
    }
    assert_eq!(scene.drain_one(scene.at(1)).await.record.context, large);
}
