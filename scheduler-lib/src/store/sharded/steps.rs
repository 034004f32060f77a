//! The port's steps, each on the shards that it is about.

use std::collections::BTreeMap;

use async_trait::async_trait;
use polling_model::{EncodedContext, Incarnation, JobId, JobType, Nonce, SlotRing, caps::SLOTS};

use super::{ShardedStore, shard_of};
use crate::store::{
    Burst, Candidates, ClaimedNote, Counts, DrainRequest, Drained, Edited, Hold, ImportedJob,
    JobRecord, JobState, ListCursor, Listed, Loads, MAX_BURSTS, MAX_UNDECODABLE, NewJob, Postponed,
    Registered, Settlement, SlotStore, StoreError, SweepCursor, Swept, Undecodable, Update,
    Verdict,
};

#[async_trait]
impl<S: SlotStore + ?Sized + 'static> SlotStore for ShardedStore<S> {
    fn ring(&self) -> SlotRing {
        self.shards[0].store.ring()
    }

    fn shard_of(&self, id: &JobId) -> usize {
        shard_of(id.as_str(), self.shards.len())
    }

    async fn register(
        &self,
        jobs: Vec<NewJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        let parts = self.parts(jobs, |job| job.id.as_str());
        self.in_order(parts, |shard, jobs| async move {
            shard.register(jobs, now_ms).await
        })
        .await
    }

    async fn import(
        &self,
        jobs: Vec<ImportedJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        let parts = self.parts(jobs, |one| one.job.id.as_str());
        self.in_order(parts, |shard, jobs| async move {
            shard.import(jobs, now_ms).await
        })
        .await
    }

    async fn remove(&self, id: &JobId) -> Result<Edited, StoreError> {
        self.of(id.as_str()).remove(id).await
    }

    async fn update(&self, id: &JobId, update: Update) -> Result<Edited, StoreError> {
        self.of(id.as_str()).update(id, update).await
    }

    async fn replace_context(
        &self,
        id: &JobId,
        context: EncodedContext,
        incarnation: Incarnation,
        due: Candidates,
    ) -> Result<Edited, StoreError> {
        let shard = self.of(id.as_str());
        shard.replace_context(id, context, incarnation, due).await
    }

    async fn hold(&self, id: &JobId, hold: Hold, reason: &str) -> Result<Edited, StoreError> {
        self.of(id.as_str()).hold(id, hold, reason).await
    }

    async fn refuse(&self, jobs: &[(JobId, Nonce)], reason: &str) -> Result<(), StoreError> {
        let parts = self.parts(jobs.iter().cloned(), |(id, _)| id.as_str());
        self.on_parts(parts, |shard, jobs| async move {
            shard.refuse(&jobs, reason).await
        })
        .await
        .map(drop)
    }

    async fn resume(&self, id: &JobId, due: Candidates) -> Result<Edited, StoreError> {
        self.of(id.as_str()).resume(id, due).await
    }

    async fn run_now(&self, id: &JobId) -> Result<Edited, StoreError> {
        self.of(id.as_str()).run_now(id).await
    }

    async fn move_to(&self, id: &JobId, due_ms: i64, reason: &str) -> Result<Edited, StoreError> {
        self.of(id.as_str()).move_to(id, due_ms, reason).await
    }

    async fn stop(&self, reason: Option<&str>) -> Result<(), StoreError> {
        self.on_all(|shard| shard.stop(reason)).await.map(drop)
    }

    async fn stopped(&self) -> Result<Option<String>, StoreError> {
        let stopped = self.on_all(|shard| shard.stopped()).await?;
        Ok(stopped.into_iter().flatten().next())
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        self.of(id.as_str()).get(id).await
    }

    async fn list(&self, from: Option<&ListCursor>, limit: usize) -> Result<Listed, StoreError> {
        self.list_on(from, limit).await
    }

    async fn held(&self, from: Option<&ListCursor>, limit: usize) -> Result<Listed, StoreError> {
        self.held_on(from, limit).await
    }

    async fn drain(&self, request: DrainRequest) -> Result<Drained, StoreError> {
        self.drain_in_turn(request).await
    }

    async fn sent(&self, note: Nonce, jobs: &[JobId]) -> Result<(), StoreError> {
        let parts = self.parts(jobs.iter().cloned(), JobId::as_str);
        self.on_parts(
            parts,
            |shard, jobs| async move { shard.sent(note, &jobs).await },
        )
        .await
        .map(drop)
    }

    async fn claim_note(
        &self,
        now_ms: i64,
        new_deadline_ms: i64,
    ) -> Result<Option<ClaimedNote>, StoreError> {
        self.claim_in_turn(now_ms, new_deadline_ms).await
    }

    async fn postpone(&self, jobs: Vec<Postponed>, now_ms: i64) -> Result<usize, StoreError> {
        let parts = self.parts(jobs, |job| job.id.as_str());
        let placed = self.on_parts(parts, |shard, jobs| async move {
            shard.postpone(jobs, now_ms).await
        });
        Ok(placed.await?.into_iter().sum())
    }

    async fn load(&self, ids: &[JobId]) -> Result<Vec<Option<JobState>>, StoreError> {
        let parts = self.parts(ids.iter().cloned(), JobId::as_str);
        self.in_order(parts, |shard, ids| async move { shard.load(&ids).await })
            .await
    }

    async fn settle(
        &self,
        settlements: Vec<Settlement>,
        now_ms: i64,
    ) -> Result<Vec<Verdict>, StoreError> {
        let parts = self.parts(settlements, |settlement| settlement.id.as_str());
        self.in_order(parts, |shard, settlements| async move {
            shard.settle(settlements, now_ms).await
        })
        .await
    }

    async fn reap(&self, deadline_ms: i64, limit: usize, now_ms: i64) -> Result<usize, StoreError> {
        self.reap_in_turn(deadline_ms, limit, now_ms).await
    }

    async fn sweep(&self, from: Option<SweepCursor>, limit: usize) -> Result<Swept, StoreError> {
        self.sweep_on(from, limit).await
    }

    async fn due_within(&self, slots: usize) -> Result<BTreeMap<JobType, u64>, StoreError> {
        let mut due = BTreeMap::new();
        for part in self.on_all(|shard| shard.due_within(slots)).await? {
            for (job_type, jobs) in part {
                *due.entry(job_type).or_default() += jobs;
            }
        }
        Ok(due)
    }

    async fn loads(&self) -> Result<Loads, StoreError> {
        let parts = self.on_all(|shard| shard.loads()).await?;
        let cursor = parts.iter().map(|part| part.cursor).min();
        let mut loads = Loads {
            cursor: cursor.unwrap_or_default(),
            jobs: Vec::new(),
        };
        for part in parts {
            let ahead = usize::try_from(part.cursor - loads.cursor).unwrap_or_default();
            // A shard that was away for longer than a ring is as far behind as one can be.
            let ahead = ahead.min(SLOTS as usize);
            let length = loads.jobs.len().max(ahead + part.jobs.len());
            loads.jobs.resize(length, 0);
            for (sum, jobs) in loads.jobs[ahead..].iter_mut().zip(part.jobs) {
                *sum += jobs;
            }
        }
        Ok(loads)
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let counts = self.on_all(|shard| shard.counts()).await?;
        let sum = |one: Counts, other: Counts| Counts {
            registered: one.registered + other.registered,
            slots: one.slots + other.slots,
            in_flight: one.in_flight + other.in_flight,
            later: one.later + other.later,
            held: one.held + other.held,
            open_notes: one.open_notes + other.open_notes,
            // Behind which nothing waits any more, in any shard.
            cursor: one.cursor.min(other.cursor),
        };
        Ok(counts.into_iter().reduce(sum).unwrap_or_default())
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.on_all(|shard| shard.check()).await.map(drop)
    }

    async fn keep_undecodable(&self, message: Undecodable) -> Result<(), StoreError> {
        // The same message comes to the same shard, which knows it.
        let shard = self.of(&message.message_id);
        shard.keep_undecodable(message).await
    }

    async fn undecodable(&self, limit: usize) -> Result<Vec<Undecodable>, StoreError> {
        let limit = limit.min(MAX_UNDECODABLE);
        let kept = self.on_all(|shard| shard.undecodable(limit));
        let mut merged = kept.await?.concat();
        merged.sort_by_key(|message| std::cmp::Reverse(message.kept_ms));
        merged.truncate(limit);
        Ok(merged)
    }

    async fn undecodable_message(
        &self,
        message_id: &str,
    ) -> Result<Option<Undecodable>, StoreError> {
        self.of(message_id).undecodable_message(message_id).await
    }

    async fn forget_undecodable(&self, message_id: &str) -> Result<bool, StoreError> {
        self.of(message_id).forget_undecodable(message_id).await
    }

    async fn note_bursts(&self, bursts: Vec<Burst>) -> Result<(), StoreError> {
        let parts = self.parts(bursts, |burst| burst.id.as_str());
        self.on_parts(parts, |shard, bursts| async move {
            shard.note_bursts(bursts).await
        })
        .await
        .map(drop)
    }

    async fn bursts(&self, limit: usize) -> Result<Vec<Burst>, StoreError> {
        let limit = limit.min(MAX_BURSTS);
        let mut merged = self.on_all(|shard| shard.bursts(limit)).await?.concat();
        merged.sort_by_key(|burst| std::cmp::Reverse(burst.at_ms));
        merged.truncate(limit);
        Ok(merged)
    }
}
