//! Every step while some keys of the shard have left for another node, after each key anew: most
//! fail, some half-way, and no job is lost.

use std::collections::BTreeSet;

use polling_model::{EncodedContext, Nonce};
use scheduler_lib::store::{
    Dispatch, Hold, Next, Place, Postponed, RedisStore, Settlement, SlotStore, StoreError, Strike,
    Update, conformance::START_MS,
};

use super::{moving::Move, shared};
use crate::fixture::{at, channel, id, new_job, request, sweep};

/// How many jobs are in each kind of place when the move begins.
const JOBS: usize = 4;

struct Scene {
    store: RedisStore,
    drained: Vec<Dispatch>,
    nonce: u64,
    errors: usize,
    done: usize,
}

impl Scene {
    /// Jobs in slots, in flight, later and held.
    async fn start(store: RedisStore) -> Self {
        for (kind, minutes) in [
            ("flown", 1),
            ("due", 2),
            ("slot", 30),
            ("later", 3_000),
            ("held", 3),
        ] {
            let jobs = (0..JOBS).map(|number| new_job(&format!("{kind}-{number}"), minutes));
            let registered = store.register(jobs.collect(), at(0)).await;
            registered.expect("register");
        }
        for number in 0..JOBS {
            let id = id(&format!("held-{number}"));
            let held = store.hold(&id, Hold::Paused, "by hand").await;
            held.expect("hold");
        }
        let drained = store.drain(request(at(1), 1)).await.expect("drain").jobs;
        assert_eq!(drained.len(), JOBS);
        Self {
            store,
            drained,
            nonce: 1,
            errors: 0,
            done: 0,
        }
    }

    /// A step may fail, if it says why.
    fn ended<T>(&mut self, answer: Result<T, StoreError>) -> Option<T> {
        match answer {
            Ok(answer) => {
                self.done += 1;
                Some(answer)
            }
            Err(error) => {
                let why = polling_model::chain(&error);
                assert!(why.contains("is being moved to another node"), "{why}");
                self.errors += 1;
                None
            }
        }
    }

    async fn every_step(&mut self, number: usize) {
        let one = |kind: &str| id(&format!("{kind}-{}", number % JOBS));
        let due = [at(40 + number as i64); 2];
        let store = &self.store;
        let answers = [
            store
                .update(
                    &one("slot"),
                    Update {
                        due,
                        ..Update::default()
                    },
                )
                .await,
            store
                .replace_context(
                    &one("later"),
                    EncodedContext::new("{}").expect("a context"),
                    Nonce(7),
                    due,
                )
                .await,
            store.hold(&one("due"), Hold::Paused, "by hand").await,
            store.resume(&one("held"), due).await,
            store.run_now(&one("slot")).await,
        ];
        for answer in answers {
            self.ended(answer);
        }
        let again = vec![new_job("slot-0", 9), new_job("due-1", 9)];
        let registered = self.store.register(again, at(2)).await;
        self.ended(registered);
        self.nonce += 1;
        let drained = self.store.drain(request(at(2), self.nonce)).await;
        if let Some(drained) = self.ended(drained) {
            self.drained.extend(drained.jobs);
        }
        self.end_some(number).await;
        let reaped = self.store.reap(at(5), 2, at(2)).await;
        self.ended(reaped);
        let claimed = self.store.claim_note(at(4), at(5)).await;
        self.ended(claimed);
        let swept = self.store.sweep(None, 5).await;
        self.ended(swept);
    }

    /// Settles one dispatch, and postpones another.
    async fn end_some(&mut self, number: usize) {
        let count = self.drained.len();
        let (one, other) = (
            &self.drained[number % count],
            &self.drained[(number + 1) % count],
        );
        let settlement = Settlement {
            id: one.record.id.clone(),
            token: one.token,
            revision: one.record.state.revision,
            context: None,
            scopes: None,
            activity: None,
            next: Next::Due(at(50)),
            attempts: 0,
            strike: Strike::Clear,
            reason: "polled".to_owned(),
        };
        let postponed = Postponed {
            id: other.record.id.clone(),
            token: other.token,
            due_ms: at(60),
            reason: "no allowance".to_owned(),
        };
        let sent = [other.record.id.clone()];
        let nonce = other.token.nonce;
        let settled = self.store.settle(vec![settlement], at(2)).await;
        let postponed = self.store.postpone(vec![postponed], at(2)).await;
        let sent = self.store.sent(nonce, &sent).await;
        self.ended(settled);
        self.ended(postponed);
        self.ended(sent);
    }

    /// Each job is there, in one place, from which it comes back.
    async fn is_whole(&self) {
        sweep(&self.store, 100).await;
        assert_eq!(sweep(&self.store, 100).await, 0, "mended at once");
        let counts = self.store.counts().await.expect("counts");
        let places = counts.slots + counts.in_flight + counts.later + counts.held;
        assert_eq!(
            (counts.registered, places),
            (5 * JOBS as u64, 5 * JOBS as u64)
        );
        for kind in ["flown", "due", "slot", "later", "held"] {
            for number in 0..JOBS {
                let id = id(&format!("{kind}-{number}"));
                let record = self.store.get(&id).await.expect("get").expect("not lost");
                if let Place::Held(_) = record.state.place {
                    let resumed = self.store.resume(&id, [at(70); 2]).await;
                    resumed.expect("resume");
                }
            }
        }
        let far_ms = at(4_000);
        while self.store.reap(far_ms, 100, at(3)).await.expect("reap") > 0 {}
        let (mut polled, mut nonce) = (BTreeSet::new(), 1_000);
        loop {
            nonce += 1;
            let drained = self
                .store
                .drain(request(far_ms, nonce))
                .await
                .expect("drain");
            for job in drained.jobs {
                let id = job.record.id;
                assert!(polled.insert(id.clone()), "{id} is in two places");
            }
            if !drained.more {
                break;
            }
        }
        assert_eq!(polled.len(), 5 * JOBS);
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
#[expect(
    clippy::print_stdout,
    reason = "how many steps met a moving slot is the figure"
)]
async fn a_step_that_fails_half_way_while_its_keys_move_loses_no_job() {
    let cluster = shared().await;
    let (mut errors, mut done) = (0, 0);
    // Keys leave in an order that their names decide.
    for _ in 0..5 {
        let store = RedisStore::builder(cluster.url(), channel()).max_skew(None);
        let store = store.open(START_MS).await.expect("the store opens");
        let slot = cluster.slot(store.prefix()).await;
        let mut scene = Scene::start(store).await;
        let to = (cluster.owner(slot).await + 1) % 3;
        let moving = Move::begin(&cluster, slot, to).await;
        let mut number = 0;
        scene.every_step(number).await;
        while moving.some(1).await {
            number += 1;
            scene.every_step(number).await;
        }
        moving.end().await;
        scene.is_whole().await;
        errors += scene.errors;
        done += scene.done;
    }
    println!("{done} steps done, {errors} steps failed while their slot moved");
    assert!(errors > 500 && done > 100, "both kinds were met");
}
