//! A store with the short words that the cases are written in.

use std::collections::BTreeMap;

use polling_model::{EncodedContext, JobId, Nonce, Token};

use super::START_MS;
use crate::store::{
    Candidates, Counts, Dispatch, DrainRequest, Drained, JobRecord, NewJob, Next, Place,
    Registered, Settlement, SharedStore, Strike, Verdict,
};

/// How long jobs are in flight in these cases, in slots.
pub(super) const LEASE_SLOTS: i64 = 10;

/// How long a note stays unclaimed in these cases, in slots.
pub(super) const NOTE_SLOTS: i64 = 2;

/// A store, and nonces that never repeat.
pub(super) struct Scene {
    pub(super) store: SharedStore,
    nonces: std::sync::atomic::AtomicU64,
}

pub(super) fn id(text: &str) -> JobId {
    JobId::new(text).expect("the cases use valid ids")
}

pub(super) fn context(text: &str) -> EncodedContext {
    EncodedContext::new(text).expect("the cases use valid contexts")
}

impl Scene {
    pub(super) fn new(store: SharedStore) -> Self {
        Self {
            store,
            nonces: 1.into(),
        }
    }

    /// The start of the slot `slots` after the one in which the case began.
    pub(super) fn at(&self, slots: i64) -> i64 {
        START_MS + slots * self.store.ring().width_ms()
    }

    pub(super) fn nonce(&self) -> Nonce {
        Nonce(
            self.nonces
                .fetch_add(1, std::sync::atomic::Ordering::SeqCst),
        )
    }

    pub(super) fn new_job(&self, name: &str, due: Candidates) -> NewJob {
        NewJob {
            id: id(name),
            job_type: "posts".parse().expect("a valid job type"),
            account: "42".parse().expect("a valid account"),
            level: "basic".parse().expect("a valid level"),
            cushion: None,
            context: context("{\"seen\":0}"),
            incarnation: self.nonce(),
            due,
        }
    }

    pub(super) async fn register_as(&self, job: NewJob) -> Registered {
        let registered = self.store.register(vec![job], START_MS).await;
        let registered = registered.expect("register");
        assert_eq!(registered.len(), 1, "one answer a job");
        registered[0]
    }

    /// Registers a job due at the start of a slot.
    pub(super) async fn register(&self, name: &str, slots: i64) {
        let job = self.new_job(name, [self.at(slots); 2]);
        assert_eq!(self.register_as(job).await, Registered::Created);
    }

    /// Names of jobs that are in one part of the store, in order: only among these the store's
    /// promises on order, and on several jobs, hold.
    pub(super) fn neighbours<const N: usize>(&self) -> [String; N] {
        let shard = |name: &String| self.store.shard_of(&id(name));
        let mut names = (0..).map(|number: u32| format!("job-{number:04}"));
        let first = names.next().expect("they have no end");
        let at = shard(&first);
        let mut found = std::iter::once(first).chain(names.filter(|name| shard(name) == at));
        std::array::from_fn(|_| found.next().expect("they have no end"))
    }

    pub(super) async fn find(&self, name: &str) -> Option<JobRecord> {
        self.store.get(&id(name)).await.expect("get")
    }

    pub(super) async fn get(&self, name: &str) -> JobRecord {
        self.find(name).await.expect("the job is registered")
    }

    pub(super) async fn place(&self, name: &str) -> Place {
        self.get(name).await.state.place
    }

    pub(super) fn request(&self, now_ms: i64) -> DrainRequest {
        let width_ms = self.store.ring().width_ms();
        DrainRequest {
            pace_ms: 0,
            now_ms,
            limit: 200,
            nonce: self.nonce(),
            note_deadline_ms: now_ms + NOTE_SLOTS * width_ms,
            max_open_notes: 1_000,
            deadlines_ms: BTreeMap::new(),
            default_deadline_ms: now_ms + LEASE_SLOTS * width_ms,
        }
    }

    pub(super) async fn drain_once(&self, now_ms: i64) -> Drained {
        self.store.drain(self.request(now_ms)).await.expect("drain")
    }

    /// Drains until there is no more; what was taken, in the order of the slots, each by id.
    pub(super) async fn drain(&self, now_ms: i64) -> Vec<Dispatch> {
        let mut taken = Vec::new();
        loop {
            let mut drained = self.drain_once(now_ms).await;
            drained
                .jobs
                .sort_by(|one, other| one.record.id.cmp(&other.record.id));
            taken.append(&mut drained.jobs);
            if !drained.more {
                return taken;
            }
        }
    }

    /// Drains a slot in which one job waits.
    pub(super) async fn drain_one(&self, now_ms: i64) -> Dispatch {
        let mut taken = self.drain(now_ms).await;
        assert_eq!(taken.len(), 1, "one job is due");
        taken.pop().expect("just counted")
    }

    pub(super) async fn settle(&self, settlement: Settlement, now_ms: i64) -> Verdict {
        let verdicts = self
            .store
            .settle(vec![settlement], now_ms)
            .await
            .expect("settle");
        assert_eq!(verdicts.len(), 1, "one verdict a settlement");
        verdicts[0]
    }

    pub(super) async fn counts(&self) -> Counts {
        let counts = self.store.counts().await.expect("counts");
        let placed = counts.slots + counts.in_flight + counts.later + counts.held;
        assert_eq!(
            counts.registered, placed,
            "each job is in exactly one place: {counts:?}"
        );
        counts
    }

    /// Every page of a list.
    pub(super) async fn list(&self, limit: usize) -> Vec<JobRecord> {
        let (mut listed, mut from) = (Vec::new(), None);
        loop {
            let page = self.store.list(from.as_ref(), limit).await.expect("list");
            listed.extend(page.records);
            from = page.next;
            if from.is_none() {
                return listed;
            }
        }
    }

    /// Sweeps all there is; how many places were mended.
    pub(super) async fn sweep(&self, limit: usize) -> usize {
        let (mut repaired, mut from) = (0, None);
        loop {
            let swept = self.store.sweep(from, limit).await.expect("sweep");
            repaired += swept.repaired;
            from = swept.next;
            if from.is_none() {
                return repaired;
            }
        }
    }
}

/// A completion that succeeded, due next at `due_ms`.
pub(super) fn completion(dispatch: &Dispatch, due_ms: i64) -> Settlement {
    Settlement {
        id: dispatch.record.id.clone(),
        token: dispatch.token,
        revision: dispatch.record.state.revision,
        context: Some(context("{\"seen\":1}")),
        scopes: None,
        activity: None,
        next: Next::Due(due_ms),
        attempts: 0,
        strike: Strike::Clear,
        reason: "polled".to_owned(),
    }
}

/// A dead letter: no context, one strike.
pub(super) fn dead_letter(dispatch: &Dispatch, due_ms: i64, limit: u32) -> Settlement {
    Settlement {
        context: None,
        strike: Strike::Add { limit },
        ..completion(dispatch, due_ms)
    }
}

/// The same completion under another token.
pub(super) fn under(token: Token, settlement: &Settlement) -> Settlement {
    Settlement {
        token,
        ..settlement.clone()
    }
}

pub(super) fn names(dispatches: &[Dispatch]) -> Vec<&str> {
    dispatches
        .iter()
        .map(|dispatch| dispatch.record.id.as_str())
        .collect()
}
