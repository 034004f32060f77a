use std::{collections::BTreeMap, future::Future, io};

use async_trait::async_trait;
use polling_model::{EncodedContext, Incarnation, JobId, JobType, Nonce, SlotRing};
use scheduler_lib::{
    SlotStore, StoreError,
    store::{
        Burst, Candidates, ClaimedNote, Counts, DrainRequest, Drained, Edited, Hold, ImportedJob,
        JobRecord, JobState, ListCursor, Listed, Loads, NewJob, Postponed, Registered, Settlement,
        SweepCursor, Swept, Undecodable, Update, Verdict,
    },
};

use super::Faulty;
use crate::cycle::faults::Fault;

/// Clocks that differ more from the store's are refused, as a store on a server of its own does.
pub(crate) const MAX_SKEW_MS: i64 = 2_000;

impl<S: SlotStore> Faulty<S> {
    /// One step: it fails before its effect, after it, or not at all.
    async fn step<T>(
        &self,
        step: &'static str,
        effect: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.side(step).await;
        let fault = self.draw(step, &[Fault::StoreRefused, Fault::StoreLostReply]);
        if fault == Some(Fault::StoreRefused) {
            return Err(StoreError::ReadOnly {
                step,
                address: "simulated".to_owned(),
                detail: "out of memory".to_owned(),
            });
        }
        let done = effect.await;
        self.side(step).await;
        if fault.is_some() {
            return Err(StoreError::Unavailable {
                step,
                address: "simulated".to_owned(),
                source: io::Error::from(io::ErrorKind::ConnectionReset).into(),
            });
        }
        done
    }

    /// The same for a step that takes the caller's time.
    async fn timed<T>(
        &self,
        step: &'static str,
        effect: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let skew_ms = self.process.skew_ms();
        if skew_ms.abs() > MAX_SKEW_MS {
            self.side(step).await;
            return Err(StoreError::ClockSkew {
                skew_ms,
                limit_ms: MAX_SKEW_MS,
            });
        }
        self.step(step, effect).await
    }
}

#[async_trait]
impl<S: SlotStore> SlotStore for Faulty<S> {
    fn ring(&self) -> SlotRing {
        self.inner.ring()
    }

    async fn register(
        &self,
        jobs: Vec<NewJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        self.timed("register", self.inner.register(jobs, now_ms))
            .await
    }

    async fn import(
        &self,
        jobs: Vec<ImportedJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        self.timed("import", self.inner.import(jobs, now_ms)).await
    }

    async fn remove(&self, id: &JobId) -> Result<Edited, StoreError> {
        self.step("remove", self.inner.remove(id)).await
    }

    async fn update(&self, id: &JobId, update: Update) -> Result<Edited, StoreError> {
        self.step("update", self.inner.update(id, update)).await
    }

    async fn replace_context(
        &self,
        id: &JobId,
        context: EncodedContext,
        incarnation: Incarnation,
        due: Candidates,
    ) -> Result<Edited, StoreError> {
        let effect = self.inner.replace_context(id, context, incarnation, due);
        self.step("replace_context", effect).await
    }

    async fn hold(&self, id: &JobId, hold: Hold, reason: &str) -> Result<Edited, StoreError> {
        self.step("hold", self.inner.hold(id, hold, reason)).await
    }

    async fn refuse(&self, jobs: &[(JobId, Nonce)], reason: &str) -> Result<(), StoreError> {
        self.step("refuse", self.inner.refuse(jobs, reason)).await
    }

    async fn resume(&self, id: &JobId, due: Candidates) -> Result<Edited, StoreError> {
        self.step("resume", self.inner.resume(id, due)).await
    }

    async fn run_now(&self, id: &JobId) -> Result<Edited, StoreError> {
        self.step("run_now", self.inner.run_now(id)).await
    }

    async fn move_to(&self, id: &JobId, due_ms: i64, reason: &str) -> Result<Edited, StoreError> {
        let effect = self.inner.move_to(id, due_ms, reason);
        self.step("move_to", effect).await
    }

    async fn stop(&self, reason: Option<&str>) -> Result<(), StoreError> {
        self.step("stop", self.inner.stop(reason)).await
    }

    async fn stopped(&self) -> Result<Option<String>, StoreError> {
        self.step("stopped", self.inner.stopped()).await
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        self.step("get", self.inner.get(id)).await
    }

    async fn list(&self, from: Option<&ListCursor>, limit: usize) -> Result<Listed, StoreError> {
        self.step("list", self.inner.list(from, limit)).await
    }

    async fn drain(&self, request: DrainRequest) -> Result<Drained, StoreError> {
        self.timed("drain", self.inner.drain(request)).await
    }

    async fn sent(&self, note: Nonce, jobs: &[JobId]) -> Result<(), StoreError> {
        self.step("sent", self.inner.sent(note, jobs)).await
    }

    async fn claim_note(
        &self,
        now_ms: i64,
        new_deadline_ms: i64,
    ) -> Result<Option<ClaimedNote>, StoreError> {
        let effect = self.inner.claim_note(now_ms, new_deadline_ms);
        self.timed("claim_note", effect).await
    }

    async fn postpone(&self, jobs: Vec<Postponed>, now_ms: i64) -> Result<usize, StoreError> {
        self.timed("postpone", self.inner.postpone(jobs, now_ms))
            .await
    }

    async fn load(&self, ids: &[JobId]) -> Result<Vec<Option<JobState>>, StoreError> {
        self.step("load", self.inner.load(ids)).await
    }

    async fn settle(
        &self,
        settlements: Vec<Settlement>,
        now_ms: i64,
    ) -> Result<Vec<Verdict>, StoreError> {
        self.timed("settle", self.inner.settle(settlements, now_ms))
            .await
    }

    async fn reap(&self, deadline_ms: i64, limit: usize, now_ms: i64) -> Result<usize, StoreError> {
        self.step("reap", self.inner.reap(deadline_ms, limit, now_ms))
            .await
    }

    async fn sweep(&self, from: Option<SweepCursor>, limit: usize) -> Result<Swept, StoreError> {
        self.step("sweep", self.inner.sweep(from, limit)).await
    }

    async fn due_within(&self, slots: usize) -> Result<BTreeMap<JobType, u64>, StoreError> {
        self.step("due_within", self.inner.due_within(slots)).await
    }

    async fn loads(&self) -> Result<Loads, StoreError> {
        self.step("loads", self.inner.loads()).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.step("counts", self.inner.counts()).await
    }

    async fn keep_undecodable(&self, message: Undecodable) -> Result<(), StoreError> {
        let effect = self.inner.keep_undecodable(message);
        self.step("keep_undecodable", effect).await
    }

    async fn undecodable(&self, limit: usize) -> Result<Vec<Undecodable>, StoreError> {
        self.step("undecodable", self.inner.undecodable(limit))
            .await
    }

    async fn undecodable_message(
        &self,
        message_id: &str,
    ) -> Result<Option<Undecodable>, StoreError> {
        let effect = self.inner.undecodable_message(message_id);
        self.step("undecodable_message", effect).await
    }

    async fn forget_undecodable(&self, message_id: &str) -> Result<bool, StoreError> {
        let effect = self.inner.forget_undecodable(message_id);
        self.step("forget_undecodable", effect).await
    }

    async fn note_bursts(&self, bursts: Vec<Burst>) -> Result<(), StoreError> {
        self.step("note_bursts", self.inner.note_bursts(bursts))
            .await
    }

    async fn bursts(&self, limit: usize) -> Result<Vec<Burst>, StoreError> {
        self.step("bursts", self.inner.bursts(limit)).await
    }
}
