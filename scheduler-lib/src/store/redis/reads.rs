//! Reading records, and what becomes of one that cannot be read.

use std::sync::atomic::Ordering::Relaxed;

use polling_model::JobId;

use super::{
    RedisStore,
    call::Call,
    record::{hold_letter, record},
    scripts,
};
use crate::store::{Dispatch, Hold, JobRecord, SlotStore, StoreError, reasons::bounded};

/// Between two looks of the drain at the server.
const CHECK_EVERY_MS: i64 = 5_000;

/// Bytes under a key, if it is there.
pub(super) type Blob = Option<Vec<u8>>;

impl RedisStore {
    /// The records of `ids`, in their order, without those that do not exist.
    pub(super) async fn records(&self, ids: &[JobId]) -> Result<Vec<JobRecord>, StoreError> {
        let (texts, contexts) = self.read(ids, true).await?;
        let found = ids.iter().zip(texts).zip(contexts);
        let existing = found.filter_map(|((id, text), context)| Some((id, text?, context)));
        existing
            .map(|(id, text, context)| record(id, &text, context.as_deref()))
            .collect()
    }

    /// Each id's record, and its context if wanted. `ids` is not empty.
    pub(super) async fn read(
        &self,
        ids: &[JobId],
        contexts: bool,
    ) -> Result<(Vec<Blob>, Vec<Blob>), StoreError> {
        let call = self
            .call(&scripts::READ)
            .arg(if contexts { "1" } else { "0" });
        call.args(ids.iter().map(JobId::as_str)).run().await
    }

    /// At most `limit` ids after `after`.
    pub(super) async fn page(
        &self,
        after: Option<&JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        let call = self
            .call(&scripts::LIST)
            .arg(after.map_or("", JobId::as_str))
            .arg(limit);
        let ids: Vec<String> = call.run().await?;
        Ok(ids
            .into_iter()
            .filter_map(|id| JobId::new(id).ok())
            .collect())
    }

    /// The jobs of an answer, by id. One whose record cannot be read is held, so that it neither
    /// stops the others nor comes back with each drain.
    pub(super) async fn readable(
        &self,
        ids: Vec<String>,
        texts: Vec<Blob>,
        contexts: Vec<Blob>,
    ) -> Vec<Dispatch> {
        let mut dispatches = Vec::with_capacity(ids.len());
        for ((id, text), context) in ids.into_iter().zip(texts).zip(contexts) {
            let Ok(id) = JobId::new(id) else {
                continue;
            };
            match dispatch(&id, &text.unwrap_or_default(), context.as_deref()) {
                Ok(dispatch) => dispatches.push(dispatch),
                Err(error) => self.hold_unreadable(&id, &error).await,
            }
        }
        dispatches.sort_by(|one, other| one.record.id.cmp(&other.record.id));
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

fn dispatch(id: &JobId, text: &[u8], context: Option<&[u8]>) -> Result<Dispatch, StoreError> {
    let record = record(id, text, context)?;
    let token = record.state.token().ok_or_else(|| StoreError::Corrupt {
        id: id.clone(),
        detail: "it is in flight without a token".to_owned(),
    })?;
    Ok(Dispatch { record, token })
}
