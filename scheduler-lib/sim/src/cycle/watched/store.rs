use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use polling_model::{EncodedContext, Incarnation, JobId, JobType, Nonce, SlotRing};
use scheduler_lib::{
    MemoryStore, SlotStore, StoreError,
    store::{
        Burst, Candidates, ClaimedNote, Counts, DrainRequest, Drained, Edited, Hold, ImportedJob,
        JobRecord, JobState, ListCursor, Listed, Loads, NewJob, Postponed, Registered, Settlement,
        SweepCursor, Swept, Undecodable, Update, Verdict,
    },
};

use crate::cycle::oracle::Oracle;

/// A store under the oracle's eyes: it counts the jobs after each step that can move one.
#[derive(Debug)]
pub(crate) struct WatchedStore {
    pub(crate) inner: Arc<MemoryStore>,
    oracle: Arc<Oracle>,
}

impl WatchedStore {
    pub(crate) fn new(inner: Arc<MemoryStore>, oracle: Arc<Oracle>) -> Arc<Self> {
        Arc::new(Self { inner, oracle })
    }

    /// Counts, and writes the step down.
    async fn after(&self, step: impl FnOnce() -> String) -> Result<(), StoreError> {
        self.oracle.trace.line(step);
        self.oracle.counted(&self.inner.counts().await?);
        Ok(())
    }

    async fn edited(&self, step: &str, id: &JobId, edited: Edited) -> Result<Edited, StoreError> {
        self.after(|| format!("store: {step} {id}: {edited:?}"))
            .await?;
        Ok(edited)
    }

    fn created(&self, lives: &[(JobId, Incarnation)], registered: &[Registered]) {
        for ((id, incarnation), registered) in lives.iter().zip(registered) {
            if *registered == Registered::Created {
                self.oracle
                    .with_history(|history| history.begins(id, *incarnation));
                self.oracle.registered(id);
            }
        }
    }

    fn settled(&self, id: &JobId, settlement: &Settled, verdict: Verdict) {
        self.oracle.trace.line(|| {
            let Settled { token, reason, .. } = settlement;
            format!(
                "store: settle {id} generation {}: {verdict:?} ({reason})",
                token.generation
            )
        });
        if verdict == Verdict::Accepted {
            self.oracle.accepted(id, settlement.token);
        }
    }
}

/// What the oracle needs of a settlement.
struct Settled {
    token: polling_model::Token,
    reason: String,
}

#[async_trait]
impl SlotStore for WatchedStore {
    fn ring(&self) -> SlotRing {
        self.inner.ring()
    }

    async fn register(
        &self,
        jobs: Vec<NewJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        let lives = jobs.iter().map(|job| (job.id.clone(), job.incarnation));
        let lives: Vec<_> = lives.collect();
        let registered = self.inner.register(jobs, now_ms).await?;
        self.created(&lives, &registered);
        self.after(|| format!("store: register {lives:?}: {registered:?}"))
            .await?;
        Ok(registered)
    }

    async fn import(
        &self,
        jobs: Vec<ImportedJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        let lives = jobs.iter().map(|one| (one.job.id.clone(), one.incarnation));
        let lives: Vec<_> = lives.collect();
        let imported = self.inner.import(jobs, now_ms).await?;
        self.created(&lives, &imported);
        self.after(|| format!("store: import {lives:?}: {imported:?}"))
            .await?;
        Ok(imported)
    }

    async fn remove(&self, id: &JobId) -> Result<Edited, StoreError> {
        let edited = self.inner.remove(id).await?;
        self.oracle.with_history(|history| history.ends(id));
        self.edited("remove", id, edited).await
    }

    async fn update(&self, id: &JobId, update: Update) -> Result<Edited, StoreError> {
        let edited = self.inner.update(id, update).await?;
        self.edited("update", id, edited).await
    }

    async fn replace_context(
        &self,
        id: &JobId,
        context: EncodedContext,
        incarnation: Incarnation,
        due: Candidates,
    ) -> Result<Edited, StoreError> {
        let edited = self
            .inner
            .replace_context(id, context, incarnation, due)
            .await?;
        if edited == Edited::Done {
            self.oracle
                .with_history(|history| history.begins(id, incarnation));
        }
        self.edited("replace_context", id, edited).await
    }

    async fn hold(&self, id: &JobId, hold: Hold, reason: &str) -> Result<Edited, StoreError> {
        let edited = self.inner.hold(id, hold, reason).await?;
        self.edited("hold", id, edited).await
    }

    async fn refuse(&self, jobs: &[(JobId, Nonce)], reason: &str) -> Result<(), StoreError> {
        self.inner.refuse(jobs, reason).await?;
        self.oracle
            .measure(|measures| measures.refused += jobs.len() as u64);
        self.after(|| format!("store: refuse {jobs:?}: {reason}"))
            .await
    }

    async fn resume(&self, id: &JobId, due: Candidates) -> Result<Edited, StoreError> {
        let edited = self.inner.resume(id, due).await?;
        self.edited("resume", id, edited).await
    }

    async fn run_now(&self, id: &JobId) -> Result<Edited, StoreError> {
        let edited = self.inner.run_now(id).await?;
        self.edited("run_now", id, edited).await
    }

    async fn move_to(&self, id: &JobId, due_ms: i64, reason: &str) -> Result<Edited, StoreError> {
        let edited = self.inner.move_to(id, due_ms, reason).await?;
        self.edited("move_to", id, edited).await
    }

    async fn stop(&self, reason: Option<&str>) -> Result<(), StoreError> {
        self.inner.stop(reason).await
    }

    async fn stopped(&self) -> Result<Option<String>, StoreError> {
        self.inner.stopped().await
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        self.inner.get(id).await
    }

    async fn list(&self, from: Option<&ListCursor>, limit: usize) -> Result<Listed, StoreError> {
        self.inner.list(from, limit).await
    }

    async fn drain(&self, request: DrainRequest) -> Result<Drained, StoreError> {
        let drained = self.inner.drain(request).await?;
        for job in &drained.jobs {
            self.oracle.drained(&job.record.id, job.token);
            self.oracle.trace.line(|| {
                let (id, generation) = (&job.record.id, job.token.generation);
                format!("store: drain {id} generation {generation}")
            });
        }
        if !drained.jobs.is_empty() {
            self.oracle.dispatched(drained.jobs.len());
        }
        if !drained.jobs.is_empty() || drained.more {
            self.after(|| format!("store: drained {} jobs", drained.jobs.len()))
                .await?;
        }
        Ok(drained)
    }

    async fn sent(&self, note: Nonce, jobs: &[JobId]) -> Result<(), StoreError> {
        self.inner.sent(note, jobs).await
    }

    async fn claim_note(
        &self,
        now_ms: i64,
        new_deadline_ms: i64,
    ) -> Result<Option<ClaimedNote>, StoreError> {
        let claimed = self.inner.claim_note(now_ms, new_deadline_ms).await?;
        for job in claimed.iter().flat_map(|note| &note.jobs) {
            self.oracle.trace.line(|| {
                let (id, generation) = (&job.record.id, job.token.generation);
                format!("store: {id} generation {generation} will be sent again")
            });
        }
        Ok(claimed)
    }

    async fn postpone(&self, jobs: Vec<Postponed>, now_ms: i64) -> Result<usize, StoreError> {
        let ids: Vec<_> = jobs.iter().map(|one| one.id.clone()).collect();
        let of: Vec<_> = jobs.iter().map(|one| (one.token, one.due_ms)).collect();
        let before = self.inner.load(&ids).await?;
        let placed = self.inner.postpone(jobs, now_ms).await?;
        let after = self.inner.load(&ids).await?;
        for (((id, (token, due_ms)), before), after) in ids.iter().zip(of).zip(before).zip(after) {
            let token_of = |state: Option<JobState>| state.and_then(|state| state.token());
            if token_of(before) == Some(token) && token_of(after).is_none() {
                self.oracle.postponed(id, token);
                let generation = token.generation;
                self.oracle
                    .trace
                    .line(|| format!("store: postpone {id} generation {generation} to {due_ms}"));
            }
        }
        self.after(|| format!("store: postponed {placed} jobs"))
            .await?;
        Ok(placed)
    }

    async fn load(&self, ids: &[JobId]) -> Result<Vec<Option<JobState>>, StoreError> {
        self.inner.load(ids).await
    }

    async fn settle(
        &self,
        settlements: Vec<Settlement>,
        now_ms: i64,
    ) -> Result<Vec<Verdict>, StoreError> {
        let of = |settlement: &Settlement| {
            let settled = Settled {
                token: settlement.token,
                reason: settlement.reason.clone(),
            };
            (settlement.id.clone(), settled)
        };
        let settled: Vec<_> = settlements.iter().map(of).collect();
        let verdicts = self.inner.settle(settlements, now_ms).await?;
        for ((id, settled), verdict) in settled.iter().zip(&verdicts) {
            self.settled(id, settled, *verdict);
        }
        self.after(|| format!("store: settled {} endings", verdicts.len()))
            .await?;
        Ok(verdicts)
    }

    async fn reap(&self, deadline_ms: i64, limit: usize, now_ms: i64) -> Result<usize, StoreError> {
        let reaped = self.inner.reap(deadline_ms, limit, now_ms).await?;
        if reaped > 0 {
            self.after(|| format!("store: reaped {reaped} jobs"))
                .await?;
        }
        Ok(reaped)
    }

    async fn sweep(&self, from: Option<SweepCursor>, limit: usize) -> Result<Swept, StoreError> {
        let swept = self.inner.sweep(from, limit).await?;
        if swept.repaired > 0 {
            self.oracle.mended(swept.repaired);
        }
        Ok(swept)
    }

    async fn due_within(&self, slots: usize) -> Result<BTreeMap<JobType, u64>, StoreError> {
        self.inner.due_within(slots).await
    }

    async fn loads(&self) -> Result<Loads, StoreError> {
        self.inner.loads().await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.inner.counts().await
    }

    async fn keep_undecodable(&self, message: Undecodable) -> Result<(), StoreError> {
        self.inner.keep_undecodable(message).await
    }

    async fn undecodable(&self, limit: usize) -> Result<Vec<Undecodable>, StoreError> {
        self.inner.undecodable(limit).await
    }

    async fn undecodable_message(
        &self,
        message_id: &str,
    ) -> Result<Option<Undecodable>, StoreError> {
        self.inner.undecodable_message(message_id).await
    }

    async fn forget_undecodable(&self, message_id: &str) -> Result<bool, StoreError> {
        self.inner.forget_undecodable(message_id).await
    }

    async fn note_bursts(&self, bursts: Vec<Burst>) -> Result<(), StoreError> {
        self.inner.note_bursts(bursts).await
    }

    async fn bursts(&self, limit: usize) -> Result<Vec<Burst>, StoreError> {
        self.inner.bursts(limit).await
    }
}
