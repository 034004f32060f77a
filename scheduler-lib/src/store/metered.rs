//! A slot store in front of another that reports each call.

use std::{collections::BTreeMap, future::Future};

use async_trait::async_trait;
use polling_model::{EncodedContext, Incarnation, JobId, JobType, Nonce, SlotRing};
use polling_transport::Metered;

use super::{
    Burst, Candidates, ClaimedNote, Counts, DrainRequest, Drained, Edited, Hold, ImportedJob,
    JobRecord, JobState, ListCursor, Listed, Loads, NewJob, Postponed, Registered, Settlement,
    SlotStore, StoreError, SweepCursor, Swept, Undecodable, Update, Verdict,
};

type Answer<T> = Result<T, StoreError>;

async fn call<S: ?Sized, T>(
    metered: &Metered<S>,
    operation: &'static str,
    step: impl Future<Output = Answer<T>>,
) -> Answer<T> {
    let kind = |answer: &Answer<T>| Some(answer.as_ref().err()?.kind());
    metered.call("store", operation, step, kind).await
}

#[async_trait]
impl<S: SlotStore + ?Sized> SlotStore for Metered<S> {
    fn ring(&self) -> SlotRing {
        self.get_ref().ring()
    }

    fn shard_of(&self, id: &JobId) -> usize {
        self.get_ref().shard_of(id)
    }

    async fn register(&self, jobs: Vec<NewJob>, now_ms: i64) -> Answer<Vec<Registered>> {
        call(self, "register", self.get_ref().register(jobs, now_ms)).await
    }

    async fn import(&self, jobs: Vec<ImportedJob>, now_ms: i64) -> Answer<Vec<Registered>> {
        call(self, "import", self.get_ref().import(jobs, now_ms)).await
    }

    async fn remove(&self, id: &JobId) -> Answer<Edited> {
        call(self, "remove", self.get_ref().remove(id)).await
    }

    async fn update(&self, id: &JobId, update: Update) -> Answer<Edited> {
        call(self, "update", self.get_ref().update(id, update)).await
    }

    async fn replace_context(
        &self,
        id: &JobId,
        context: EncodedContext,
        incarnation: Incarnation,
        due: Candidates,
    ) -> Answer<Edited> {
        let step = self
            .get_ref()
            .replace_context(id, context, incarnation, due);
        call(self, "replace_context", step).await
    }

    async fn hold(&self, id: &JobId, hold: Hold, reason: &str) -> Answer<Edited> {
        call(self, "hold", self.get_ref().hold(id, hold, reason)).await
    }

    async fn refuse(&self, jobs: &[(JobId, Nonce)], reason: &str) -> Answer<()> {
        call(self, "refuse", self.get_ref().refuse(jobs, reason)).await
    }

    async fn resume(&self, id: &JobId, due: Candidates) -> Answer<Edited> {
        call(self, "resume", self.get_ref().resume(id, due)).await
    }

    async fn run_now(&self, id: &JobId) -> Answer<Edited> {
        call(self, "run_now", self.get_ref().run_now(id)).await
    }

    async fn move_to(&self, id: &JobId, due_ms: i64, reason: &str) -> Answer<Edited> {
        let step = self.get_ref().move_to(id, due_ms, reason);
        call(self, "move_to", step).await
    }

    async fn stop(&self, reason: Option<&str>) -> Answer<()> {
        call(self, "stop", self.get_ref().stop(reason)).await
    }

    async fn stopped(&self) -> Answer<Option<String>> {
        call(self, "stopped", self.get_ref().stopped()).await
    }

    async fn get(&self, id: &JobId) -> Answer<Option<JobRecord>> {
        call(self, "get", self.get_ref().get(id)).await
    }

    async fn held(&self, from: Option<&ListCursor>, limit: usize) -> Answer<Listed> {
        call(self, "held", self.get_ref().held(from, limit)).await
    }

    async fn list(&self, from: Option<&ListCursor>, limit: usize) -> Answer<Listed> {
        call(self, "list", self.get_ref().list(from, limit)).await
    }

    async fn drain(&self, request: DrainRequest) -> Answer<Drained> {
        call(self, "drain", self.get_ref().drain(request)).await
    }

    async fn sent(&self, note: Nonce, jobs: &[JobId]) -> Answer<()> {
        call(self, "sent", self.get_ref().sent(note, jobs)).await
    }

    async fn claim_note(&self, now_ms: i64, new_deadline_ms: i64) -> Answer<Option<ClaimedNote>> {
        let step = self.get_ref().claim_note(now_ms, new_deadline_ms);
        call(self, "claim_note", step).await
    }

    async fn postpone(&self, jobs: Vec<Postponed>, now_ms: i64) -> Answer<usize> {
        call(self, "postpone", self.get_ref().postpone(jobs, now_ms)).await
    }

    async fn load(&self, ids: &[JobId]) -> Answer<Vec<Option<JobState>>> {
        call(self, "load", self.get_ref().load(ids)).await
    }

    async fn settle(&self, settlements: Vec<Settlement>, now_ms: i64) -> Answer<Vec<Verdict>> {
        call(self, "settle", self.get_ref().settle(settlements, now_ms)).await
    }

    async fn reap(&self, deadline_ms: i64, limit: usize, now_ms: i64) -> Answer<usize> {
        let step = self.get_ref().reap(deadline_ms, limit, now_ms);
        call(self, "reap", step).await
    }

    async fn sweep(&self, from: Option<SweepCursor>, limit: usize) -> Answer<Swept> {
        call(self, "sweep", self.get_ref().sweep(from, limit)).await
    }

    async fn loads(&self) -> Answer<Loads> {
        call(self, "loads", self.get_ref().loads()).await
    }

    async fn due_within(&self, slots: usize) -> Answer<BTreeMap<JobType, u64>> {
        call(self, "due_within", self.get_ref().due_within(slots)).await
    }

    async fn counts(&self) -> Answer<Counts> {
        call(self, "counts", self.get_ref().counts()).await
    }

    async fn check(&self) -> Answer<()> {
        call(self, "check", self.get_ref().check()).await
    }

    async fn keep_undecodable(&self, message: Undecodable) -> Answer<()> {
        let step = self.get_ref().keep_undecodable(message);
        call(self, "keep_undecodable", step).await
    }

    async fn undecodable(&self, limit: usize) -> Answer<Vec<Undecodable>> {
        call(self, "undecodable", self.get_ref().undecodable(limit)).await
    }

    async fn undecodable_message(&self, message_id: &str) -> Answer<Option<Undecodable>> {
        let step = self.get_ref().undecodable_message(message_id);
        call(self, "undecodable_message", step).await
    }

    async fn forget_undecodable(&self, message_id: &str) -> Answer<bool> {
        let step = self.get_ref().forget_undecodable(message_id);
        call(self, "forget_undecodable", step).await
    }

    async fn note_bursts(&self, bursts: Vec<Burst>) -> Answer<()> {
        call(self, "note_bursts", self.get_ref().note_bursts(bursts)).await
    }

    async fn bursts(&self, limit: usize) -> Answer<Vec<Burst>> {
        call(self, "bursts", self.get_ref().bursts(limit)).await
    }
}
