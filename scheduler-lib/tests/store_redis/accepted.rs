//! A store whose acceptances are written down: no job may fork.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use polling_model::{EncodedContext, Incarnation, JobId, JobType, Nonce, SlotRing, Token, chain};
use scheduler_lib::store::{
    Burst, Candidates, ClaimedNote, Counts, DrainRequest, Drained, Edited, Hold, ImportedJob,
    JobRecord, JobState, ListCursor, Listed, Loads, NewJob, Postponed, Registered, Settlement,
    SlotStore, StoreError, SweepCursor, Swept, Undecodable, Update, Verdict,
};

/// Passes every step on, and remembers what it answered.
#[derive(Debug)]
pub(crate) struct Accepted<S> {
    pub(crate) store: Arc<S>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Of each job the generation that was accepted last.
    last: BTreeMap<(JobId, Incarnation), u64>,
    pub(crate) accepted: usize,
    /// What must not be.
    pub(crate) forks: Vec<String>,
    /// Every different error, with its causes.
    pub(crate) errors: BTreeSet<String>,
}

impl<S> Accepted<S> {
    pub(crate) fn on(store: Arc<S>) -> Self {
        Self {
            store,
            seen: Mutex::default(),
        }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no test panics in it")
    }

    fn told<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &answer {
            self.seen().errors.insert(chain(error));
        }
        answer
    }
}

impl Seen {
    fn accept(&mut self, id: &JobId, token: Token) {
        self.accepted += 1;
        let of_life = (id.clone(), token.incarnation);
        if let Some(last) = self.last.insert(of_life, token.generation)
            && last >= token.generation
        {
            let fork = format!("{id}: {} accepted after {last}", token.generation);
            self.forks.push(fork);
        }
    }
}

#[async_trait]
impl<S: SlotStore> SlotStore for Accepted<S> {
    fn ring(&self) -> SlotRing {
        self.store.ring()
    }

    fn shard_of(&self, id: &JobId) -> usize {
        self.store.shard_of(id)
    }

    async fn register(
        &self,
        jobs: Vec<NewJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        self.told(self.store.register(jobs, now_ms).await)
    }

    async fn import(
        &self,
        jobs: Vec<ImportedJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        self.told(self.store.import(jobs, now_ms).await)
    }

    async fn remove(&self, id: &JobId) -> Result<Edited, StoreError> {
        self.told(self.store.remove(id).await)
    }

    async fn update(&self, id: &JobId, update: Update) -> Result<Edited, StoreError> {
        self.told(self.store.update(id, update).await)
    }

    async fn replace_context(
        &self,
        id: &JobId,
        context: EncodedContext,
        incarnation: Incarnation,
        due: Candidates,
    ) -> Result<Edited, StoreError> {
        let replaced = self.store.replace_context(id, context, incarnation, due);
        self.told(replaced.await)
    }

    async fn hold(&self, id: &JobId, hold: Hold, reason: &str) -> Result<Edited, StoreError> {
        self.told(self.store.hold(id, hold, reason).await)
    }

    async fn refuse(&self, jobs: &[(JobId, Nonce)], reason: &str) -> Result<(), StoreError> {
        self.told(self.store.refuse(jobs, reason).await)
    }

    async fn resume(&self, id: &JobId, due: Candidates) -> Result<Edited, StoreError> {
        self.told(self.store.resume(id, due).await)
    }

    async fn run_now(&self, id: &JobId) -> Result<Edited, StoreError> {
        self.told(self.store.run_now(id).await)
    }

    async fn move_to(&self, id: &JobId, due_ms: i64, reason: &str) -> Result<Edited, StoreError> {
        self.told(self.store.move_to(id, due_ms, reason).await)
    }

    async fn stop(&self, reason: Option<&str>) -> Result<(), StoreError> {
        self.told(self.store.stop(reason).await)
    }

    async fn stopped(&self) -> Result<Option<String>, StoreError> {
        self.told(self.store.stopped().await)
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        self.told(self.store.get(id).await)
    }

    async fn list(&self, from: Option<&ListCursor>, limit: usize) -> Result<Listed, StoreError> {
        self.told(self.store.list(from, limit).await)
    }

    async fn drain(&self, request: DrainRequest) -> Result<Drained, StoreError> {
        self.told(self.store.drain(request).await)
    }

    async fn sent(&self, note: Nonce, jobs: &[JobId]) -> Result<(), StoreError> {
        self.told(self.store.sent(note, jobs).await)
    }

    async fn claim_note(
        &self,
        now_ms: i64,
        new_deadline_ms: i64,
    ) -> Result<Option<ClaimedNote>, StoreError> {
        self.told(self.store.claim_note(now_ms, new_deadline_ms).await)
    }

    async fn postpone(&self, jobs: Vec<Postponed>, now_ms: i64) -> Result<usize, StoreError> {
        self.told(self.store.postpone(jobs, now_ms).await)
    }

    async fn load(&self, ids: &[JobId]) -> Result<Vec<Option<JobState>>, StoreError> {
        self.told(self.store.load(ids).await)
    }

    async fn settle(
        &self,
        settlements: Vec<Settlement>,
        now_ms: i64,
    ) -> Result<Vec<Verdict>, StoreError> {
        let tokens = settlements.iter().map(|one| (one.id.clone(), one.token));
        let tokens: Vec<_> = tokens.collect();
        let verdicts = self.told(self.store.settle(settlements, now_ms).await)?;
        for ((id, token), verdict) in tokens.iter().zip(&verdicts) {
            if *verdict == Verdict::Accepted {
                self.seen().accept(id, *token);
            }
        }
        Ok(verdicts)
    }

    async fn reap(&self, deadline_ms: i64, limit: usize, now_ms: i64) -> Result<usize, StoreError> {
        self.told(self.store.reap(deadline_ms, limit, now_ms).await)
    }

    async fn sweep(&self, from: Option<SweepCursor>, limit: usize) -> Result<Swept, StoreError> {
        self.told(self.store.sweep(from, limit).await)
    }

    async fn due_within(&self, slots: usize) -> Result<BTreeMap<JobType, u64>, StoreError> {
        self.told(self.store.due_within(slots).await)
    }

    async fn loads(&self) -> Result<Loads, StoreError> {
        self.told(self.store.loads().await)
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.told(self.store.counts().await)
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.told(self.store.check().await)
    }

    async fn keep_undecodable(&self, message: Undecodable) -> Result<(), StoreError> {
        self.told(self.store.keep_undecodable(message).await)
    }

    async fn undecodable(&self, limit: usize) -> Result<Vec<Undecodable>, StoreError> {
        self.told(self.store.undecodable(limit).await)
    }

    async fn undecodable_message(
        &self,
        message_id: &str,
    ) -> Result<Option<Undecodable>, StoreError> {
        self.told(self.store.undecodable_message(message_id).await)
    }

    async fn forget_undecodable(&self, message_id: &str) -> Result<bool, StoreError> {
        self.told(self.store.forget_undecodable(message_id).await)
    }

    async fn note_bursts(&self, bursts: Vec<Burst>) -> Result<(), StoreError> {
        self.told(self.store.note_bursts(bursts).await)
    }

    async fn bursts(&self, limit: usize) -> Result<Vec<Burst>, StoreError> {
        self.told(self.store.bursts(limit).await)
    }
}
