//! The port's steps as calls of scripts.

use std::collections::BTreeMap;

use async_trait::async_trait;
use polling_model::{AbsoluteSlot, EncodedContext, Incarnation, JobId, JobType, Nonce, SlotRing};

use super::{
    RedisStore,
    answers::{Kept, by_type, edited, postponed_args, registered, settlement_args, verdict},
    reads::{Blob, parts_of},
    record::{hold_letter, imported_record, new_record, state, time, word},
    scripts,
};
use crate::store::{
    Burst, Candidates, ClaimedNote, Counts, DrainRequest, Drained, Edited, Hold, ImportedJob,
    JobRecord, JobState, ListCursor, Listed, Loads, MAX_BURSTS, MAX_CHUNK, MAX_LOOKED_AT, MAX_PAGE,
    MAX_UNDECODABLE, NewJob, Postponed, Registered, Settlement, SlotStore, StoreError, SweepCursor,
    Swept, Undecodable, Update, Verdict, reasons::bounded,
};

#[async_trait]
impl SlotStore for RedisStore {
    fn ring(&self) -> SlotRing {
        self.ring
    }

    async fn register(
        &self,
        jobs: Vec<NewJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        let mut answers = Vec::with_capacity(jobs.len());
        for chunk in jobs.chunks(MAX_CHUNK) {
            let mut call = self.call_at(&scripts::REGISTER, now_ms);
            for job in chunk {
                call = call
                    .arg(job.id.as_str())
                    .args(job.due.map(time))
                    .arg(job.context.as_str())
                    .arg(new_record(job, now_ms))
                    .arg("");
            }
            let letters: String = call.run_replicated().await?;
            answers.extend(letters.chars().map(registered));
        }
        Ok(answers)
    }

    async fn import(
        &self,
        jobs: Vec<ImportedJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        let mut answers = Vec::with_capacity(jobs.len());
        let jobs: Vec<_> = jobs
            .into_iter()
            .map(|ImportedJob { job, incarnation }| (job.within_bounds(), incarnation))
            .collect();
        for chunk in jobs.chunks(MAX_CHUNK) {
            let mut call = self.call_at(&scripts::REGISTER, now_ms);
            for (job, incarnation) in chunk {
                call = call
                    .arg(job.id.as_str())
                    .args([time(job.due_ms); 2])
                    .arg(job.context.as_str())
                    .arg(imported_record(job, *incarnation))
                    .arg(job.hold.map_or("", hold_letter));
            }
            let letters: String = call.run_replicated().await?;
            answers.extend(letters.chars().map(registered));
        }
        Ok(answers)
    }

    async fn remove(&self, id: &JobId) -> Result<Edited, StoreError> {
        edited(
            self.call(&scripts::REMOVE)
                .arg(id.as_str())
                .run_replicated()
                .await?,
        )
    }

    async fn update(&self, id: &JobId, update: Update) -> Result<Edited, StoreError> {
        let call = self
            .edit_call(&scripts::UPDATE)
            .arg(id.as_str())
            .args(update.due.map(time))
            .arg(update.level.as_ref().map_or("", |level| level.as_str()))
            .arg(update.cushion.map_or_else(String::new, word))
            .arg(update.pace.map_or_else(String::new, word));
        edited(call.run().await?)
    }

    async fn replace_context(
        &self,
        id: &JobId,
        context: EncodedContext,
        incarnation: Incarnation,
        due: Candidates,
    ) -> Result<Edited, StoreError> {
        let call = self
            .edit_call(&scripts::REPLACE_CONTEXT)
            .arg(id.as_str())
            .args(due.map(time))
            .arg(incarnation.to_string())
            .arg(context.as_str());
        edited(call.run().await?)
    }

    async fn hold(&self, id: &JobId, hold: Hold, reason: &str) -> Result<Edited, StoreError> {
        let call = self.hold_call(hold, reason).arg(id.as_str()).arg("");
        let answers: Vec<i64> = call.run().await?;
        edited(answers.first().copied().unwrap_or(-1))
    }

    async fn refuse(&self, jobs: &[(JobId, Nonce)], reason: &str) -> Result<(), StoreError> {
        for chunk in jobs.chunks(MAX_CHUNK) {
            let mut call = self.hold_call(Hold::Refused, reason);
            for (id, nonce) in chunk {
                call = call.arg(id.as_str()).arg(nonce.to_string());
            }
            call.run::<Vec<i64>>().await?;
        }
        Ok(())
    }

    async fn resume(&self, id: &JobId, due: Candidates) -> Result<Edited, StoreError> {
        let call = self
            .edit_call(&scripts::RESUME)
            .arg(id.as_str())
            .args(due.map(time));
        edited(call.run().await?)
    }

    async fn run_now(&self, id: &JobId) -> Result<Edited, StoreError> {
        edited(
            self.edit_call(&scripts::RUN_NOW)
                .arg(id.as_str())
                .run()
                .await?,
        )
    }

    async fn move_to(&self, id: &JobId, due_ms: i64, reason: &str) -> Result<Edited, StoreError> {
        let call = self.edit_call(&scripts::MOVE_TO).arg(id.as_str());
        edited(call.arg(time(due_ms)).arg(&*bounded(reason)).run().await?)
    }

    async fn stop(&self, reason: Option<&str>) -> Result<(), StoreError> {
        let call = self.call(&scripts::STOP).args(reason);
        call.run::<i64>().await.map(drop)
    }

    async fn stopped(&self) -> Result<Option<String>, StoreError> {
        self.call(&scripts::STOPPED).run().await
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        self.record(id).await
    }

    async fn list(&self, from: Option<&ListCursor>, limit: usize) -> Result<Listed, StoreError> {
        let mut from = match from {
            Some(from) => Some(parts_of(from)?),
            None => Some((0, "0".to_owned())),
        };
        let mut records = Vec::new();
        while let Some((part, scan)) = from.take_if(|_| records.len() < limit.min(MAX_PAGE)) {
            from = self.page(part, scan, &mut records).await?;
        }
        let next = from.map(|(part, scan)| ListCursor(format!("{part} {scan}")));
        Ok(Listed { records, next })
    }

    async fn held(&self, from: Option<&ListCursor>, limit: usize) -> Result<Listed, StoreError> {
        self.held_page(from, limit.min(MAX_PAGE)).await
    }

    async fn drain(&self, request: DrainRequest) -> Result<Drained, StoreError> {
        self.check_by(request.now_ms).await?;
        let mut call = self
            .call_at(&scripts::DRAIN, request.now_ms)
            .arg(request.limit.min(MAX_CHUNK))
            .arg(request.nonce.to_string())
            .arg(time(request.note_deadline_ms))
            .arg(request.max_open_notes)
            .arg(time(request.default_deadline_ms))
            .arg(request.pace_ms);
        for (job_type, deadline_ms) in &request.deadlines_ms {
            call = call.arg(job_type.as_str()).arg(time(*deadline_ms));
        }
        let (cursor, due_ms, more, ids, texts) = call.run().await?;
        let jobs = self.readable(ids, texts).await;
        Ok(Drained {
            jobs,
            cursor: AbsoluteSlot(cursor),
            due_ms,
            more,
        })
    }

    async fn sent(&self, note: Nonce, jobs: &[JobId]) -> Result<(), StoreError> {
        for chunk in jobs.chunks(MAX_CHUNK) {
            let call = self.call(&scripts::SENT).arg(note.to_string());
            call.args(chunk.iter().map(JobId::as_str))
                .run::<i64>()
                .await?;
        }
        Ok(())
    }

    async fn claim_note(
        &self,
        now_ms: i64,
        new_deadline_ms: i64,
    ) -> Result<Option<ClaimedNote>, StoreError> {
        let call = self
            .call_at(&scripts::CLAIM_NOTE, now_ms)
            .arg(time(new_deadline_ms));
        let noted = call.run::<Option<(String, Vec<String>, Vec<Blob>)>>();
        let Some((nonce, ids, texts)) = noted.await? else {
            return Ok(None);
        };
        let mut jobs = self.readable(ids, texts).await;
        // The set of a note has no order.
        jobs.sort_by(|one, other| one.record.id.cmp(&other.record.id));
        let nonce = nonce.parse().map_err(|_| {
            StoreError::Layout(format!("{}note:{nonce} is no note of ours", self.prefix()))
        })?;
        Ok(Some(ClaimedNote { nonce, jobs }))
    }

    async fn postpone(&self, jobs: Vec<Postponed>, now_ms: i64) -> Result<usize, StoreError> {
        let mut placed = 0;
        for chunk in jobs.chunks(MAX_CHUNK) {
            let mut call = self.call_at(&scripts::POSTPONE, now_ms);
            for postponed in chunk {
                call = postponed_args(call, postponed);
            }
            placed += call.run::<usize>().await?;
        }
        Ok(placed)
    }

    async fn load(&self, ids: &[JobId]) -> Result<Vec<Option<JobState>>, StoreError> {
        let mut states = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(MAX_CHUNK) {
            let texts = self.read(chunk, false).await?;
            for (id, text) in chunk.iter().zip(texts) {
                states.push(text.map(|text| state(id, &text)).transpose()?);
            }
        }
        Ok(states)
    }

    async fn settle(
        &self,
        settlements: Vec<Settlement>,
        now_ms: i64,
    ) -> Result<Vec<Verdict>, StoreError> {
        let mut verdicts = Vec::with_capacity(settlements.len());
        for chunk in settlements.chunks(MAX_CHUNK) {
            let mut call = self.call_at(&scripts::SETTLE, now_ms);
            for settlement in chunk {
                call = settlement_args(call, settlement);
            }
            let letters: String = call.run().await?;
            verdicts.extend(letters.chars().map(verdict));
        }
        Ok(verdicts)
    }

    async fn reap(&self, deadline_ms: i64, limit: usize, now_ms: i64) -> Result<usize, StoreError> {
        let call = self
            .call_at(&scripts::REAP, now_ms)
            .arg(time(deadline_ms))
            .arg(limit.min(MAX_CHUNK));
        call.run().await
    }

    async fn sweep(&self, from: Option<SweepCursor>, limit: usize) -> Result<Swept, StoreError> {
        let from = from.map_or_else(|| "job 0 0".to_owned(), |cursor| cursor.0);
        let mut parts = from.splitn(3, ' ');
        let [part, at, scan] = std::array::from_fn(|_| parts.next().unwrap_or_default());
        let call = self.call(&scripts::SWEEP).arg(part).arg(at).arg(scan);
        let call = call.arg(limit.clamp(1, MAX_PAGE));
        let (part, at, scan, seen, repaired): (String, String, String, usize, usize) =
            call.run().await?;
        let next = (!part.is_empty()).then(|| SweepCursor(format!("{part} {at} {scan}")));
        Ok(Swept {
            next,
            seen,
            repaired,
        })
    }

    async fn due_within(&self, slots: usize) -> Result<BTreeMap<JobType, u64>, StoreError> {
        let call = self.call(&scripts::DUE_WITHIN).arg(slots);
        let sampled: Vec<(u64, Vec<String>)> = call.arg(MAX_LOOKED_AT).run().await?;
        Ok(by_type(&sampled))
    }

    async fn loads(&self) -> Result<Loads, StoreError> {
        let (cursor, jobs) = self.call(&scripts::LOADS).run().await?;
        Ok(Loads { cursor, jobs })
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let (registered, slots, in_flight, later, held, open_notes, cursor) =
            self.call(&scripts::COUNTS).run().await?;
        Ok(Counts {
            registered,
            slots,
            in_flight,
            later,
            held,
            open_notes,
            cursor,
        })
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.call(&scripts::CHECK).run::<i64>().await.map(drop)
    }

    async fn keep_undecodable(&self, message: Undecodable) -> Result<(), StoreError> {
        let id = message.message_id.clone();
        let kept = Kept::from(message).to_text();
        let call = self
            .call(&scripts::KEEP_UNDECODABLE)
            .arg(id)
            .arg(kept)
            .arg(MAX_UNDECODABLE);
        call.run::<i64>().await?;
        Ok(())
    }

    async fn undecodable(&self, limit: usize) -> Result<Vec<Undecodable>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let call = self
            .call(&scripts::UNDECODABLE)
            .arg(limit.min(MAX_UNDECODABLE));
        let kept: Vec<String> = call.run().await?;
        Ok(kept
            .iter()
            .filter_map(|text| serde_json::from_str::<Kept>(text).ok())
            .map(Undecodable::from)
            .collect())
    }

    async fn undecodable_message(
        &self,
        message_id: &str,
    ) -> Result<Option<Undecodable>, StoreError> {
        let call = self.call(&scripts::UNDECODABLE_MESSAGE).arg(message_id);
        let kept: Option<String> = call.run().await?;
        let kept = kept.and_then(|text| serde_json::from_str::<Kept>(&text).ok());
        Ok(kept.map(Undecodable::from))
    }

    async fn forget_undecodable(&self, message_id: &str) -> Result<bool, StoreError> {
        let call = self.call(&scripts::FORGET_UNDECODABLE).arg(message_id);
        Ok(call.run::<i64>().await? > 0)
    }

    async fn note_bursts(&self, bursts: Vec<Burst>) -> Result<(), StoreError> {
        for chunk in bursts.chunks(MAX_CHUNK) {
            let mut call = self.call(&scripts::NOTE_BURSTS).arg(MAX_BURSTS);
            for burst in chunk {
                let text = serde_json::to_string(burst).expect("texts and numbers are JSON");
                call = call.arg(text);
            }
            call.run::<i64>().await?;
        }
        Ok(())
    }

    async fn bursts(&self, limit: usize) -> Result<Vec<Burst>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let call = self.call(&scripts::BURSTS).arg(limit.min(MAX_BURSTS));
        let noted: Vec<String> = call.run().await?;
        let read = noted.iter().map(|text| serde_json::from_str(text));
        Ok(read.filter_map(Result::ok).collect())
    }
}
