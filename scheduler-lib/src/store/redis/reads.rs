//! Reading records, and what becomes of one that cannot be read.

use std::sync::atomic::Ordering::Relaxed;

use polling_model::JobId;

use super::{
    RedisStore,
    call::Call,
    record::{hold_letter, record},
    scripts,
};
use crate::store::{
    Dispatch, Hold, JobRecord, ListCursor, Listed, MAX_CHUNK, SlotStore, StoreError, is_held,
    reasons::bounded,
};

/// Between two looks of the drain at the server.
const CHECK_EVERY_MS: i64 = 5_000;

/// Where a scan of the server's begins, and what it says after its end.
const BEGIN: &str = "0";

/// Bytes under a key, if it is there.
pub(super) type Blob = Option<Vec<u8>>;

impl RedisStore {
    /// The record of a job.
    pub(super) async fn record(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        let texts = self.read(std::slice::from_ref(id), true).await?;
        let text = texts.into_iter().next().flatten();
        text.map(|text| record(id, &text)).transpose()
    }

    /// Each id's record, with its context if wanted. `ids` is not empty.
    pub(super) async fn read(
        &self,
        ids: &[JobId],
        contexts: bool,
    ) -> Result<Vec<Blob>, StoreError> {
        let call = self
            .call(&scripts::READ)
            .arg(if contexts { "1" } else { "0" });
        call.args(ids.iter().map(JobId::as_str)).run().await
    }

    /// Some records of a part, and where the next are; nowhere after the last.
    pub(super) async fn page(
        &self,
        part: u64,
        scan: String,
        records: &mut Vec<JobRecord>,
    ) -> Result<Option<(u64, String)>, StoreError> {
        let call = self.call(&scripts::LIST).arg(part).arg(scan).arg(MAX_CHUNK);
        let (part, scan, ids, texts): (String, String, Vec<String>, Vec<Vec<u8>>) =
            call.run().await?;
        for (id, text) in ids.into_iter().zip(texts) {
            let Ok(id) = JobId::new(id) else {
                continue;
            };
            records.push(record(&id, &text)?);
        }
        Ok(part.parse().ok().map(|part| (part, scan)))
    }

    /// Some held jobs, and where the next are. One that is resumed while it is looked at is left out.
    pub(super) async fn held_page(
        &self,
        from: Option<&ListCursor>,
        limit: usize,
    ) -> Result<Listed, StoreError> {
        let begin = from.map_or_else(|| Ok(BEGIN.to_owned()), scan_of)?;
        let (mut scan, mut records) = (Some(begin), Vec::new());
        while let Some(begin) = scan.take_if(|_| records.len() < limit) {
            let call = self.call(&scripts::HELD).arg(begin).arg(MAX_CHUNK);
            let (next, ids, texts): (String, Vec<String>, Vec<Blob>) = call.run().await?;
            for (id, text) in ids.into_iter().zip(texts) {
                if let (Ok(id), Some(text)) = (JobId::new(id), text) {
                    records.push(record(&id, &text)?);
                }
            }
            scan = Some(next).filter(|next| next != BEGIN);
        }
        records.retain(is_held);
        let next = scan.map(ListCursor);
        Ok(Listed { records, next })
    }

    /// The jobs of an answer, in its order. One whose record cannot be read is held, so that it neither
    /// stops the others nor comes back with each drain.
    pub(super) async fn readable(&self, ids: Vec<String>, texts: Vec<Blob>) -> Vec<Dispatch> {
        let mut dispatches = Vec::with_capacity(ids.len());
        for (id, text) in ids.into_iter().zip(texts) {
            let Ok(id) = JobId::new(id) else {
                continue;
            };
            match dispatch(&id, &text.unwrap_or_default()) {
                Ok(dispatch) => dispatches.push(dispatch),
                Err(error) => self.hold_unreadable(&id, &error).await,
            }
        }
        dispatches
    }

    async fn hold_unreadable(&self, id: &JobId, error: &StoreError) {
        tracing::error!(job = %id, %error, "a record cannot be read: its job is quarantined");
        if let Err(error) = self.hold(id, Hold::Quarantined, &error.to_string()).await {
            tracing::error!(job = %id, %error, "it could not be quarantined: its lease will bring it back");
        }
    }

    /// Looks whether the server can be relied on, unless it did so shortly before `now_ms`: its
    /// settings may change under a running scheduler.
    pub(super) async fn check_by(&self, now_ms: i64) -> Result<(), StoreError> {
        let age_ms = now_ms - self.checked_ms.load(Relaxed);
        if (0..CHECK_EVERY_MS).contains(&age_ms) {
            return Ok(());
        }
        self.check().await?;
        self.checked_ms.store(now_ms, Relaxed);
        Ok(())
    }

    /// A call that holds jobs; pairs of id and nonce follow.
    pub(super) fn hold_call(&self, hold: Hold, reason: &str) -> Call<'_> {
        self.edit_call(&scripts::HOLD)
            .arg(hold_letter(hold))
            .arg(&*bounded(reason))
    }
}

/// Where a page of held jobs begins.
fn scan_of(from: &ListCursor) -> Result<String, StoreError> {
    match from.0.parse::<u64>() {
        Ok(_) => Ok(from.0.clone()),
        Err(_) => Err(StoreError::Cursor(from.0.clone())),
    }
}

/// The part and the place in it at which a page begins.
pub(super) fn parts_of(from: &ListCursor) -> Result<(u64, String), StoreError> {
    let parts = from.0.split_once(' ').and_then(|(part, scan)| {
        let is_place = scan.parse::<u64>().is_ok();
        Some((part.parse().ok()?, scan.to_owned())).filter(|_| is_place)
    });
    parts.ok_or_else(|| StoreError::Cursor(from.0.clone()))
}

fn dispatch(id: &JobId, text: &[u8]) -> Result<Dispatch, StoreError> {
    let record = record(id, text)?;
    let token = record.state.token().ok_or_else(|| StoreError::Corrupt {
        id: id.clone(),
        detail: "it is in flight without a token".to_owned(),
    })?;
    Ok(Dispatch { record, token })
}
