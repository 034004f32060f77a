//! Reading records, and what becomes of one that cannot be read.

use polling_model::JobId;

use super::{
    RedisStore,
    answers::bounded,
    call::Call,
    record::{Fields, hold_letter},
    scripts,
};
use crate::store::{Dispatch, Hold, JobRecord, SlotStore, StoreError};

/// A record's fields and values in turn, and with them other parts of an answer.
pub(super) type Flat = Vec<Option<Vec<u8>>>;

impl RedisStore {
    /// The records of `ids`, in their order, without those that do not exist.
    pub(super) async fn records(&self, ids: &[JobId]) -> Result<Vec<JobRecord>, StoreError> {
        let found = self.read(ids, true).await?;
        let existing = ids.iter().zip(found).filter(|(_, flat)| !flat.is_empty());
        existing
            .map(|(id, mut flat)| {
                let context = flat.pop().flatten();
                Fields::new(id, flat).into_record(context)
            })
            .collect()
    }

    /// Fields and values of each id's record, last its context; nothing where there is none.
    pub(super) async fn read(
        &self,
        ids: &[JobId],
        contexts: bool,
    ) -> Result<Vec<Flat>, StoreError> {
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

    /// The jobs of an answer: id, context, fields and values. One whose record cannot be read is
    /// held, so that it neither stops the others nor comes back with each drain.
    pub(super) async fn readable(&self, jobs: Vec<Flat>) -> Vec<Dispatch> {
        let mut dispatches = Vec::with_capacity(jobs.len());
        for flat in jobs {
            let Some((id, read)) = dispatch(flat) else {
                continue;
            };
            match read {
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

    /// A call that holds jobs; pairs of id and nonce follow.
    pub(super) fn hold_call(&self, hold: Hold, reason: &str) -> Call<'_> {
        self.call(&scripts::HOLD)
            .arg(hold_letter(hold))
            .arg(bounded(reason))
    }
}

/// `None` only where the id itself is none.
fn dispatch(flat: Flat) -> Option<(JobId, Result<Dispatch, StoreError>)> {
    let mut flat = flat.into_iter();
    let id = JobId::new(String::from_utf8(flat.next()??).ok()?).ok()?;
    let context = flat.next()?;
    let read = Fields::new(&id, flat)
        .into_record(context)
        .and_then(|record| {
            let token = record.state.token().ok_or_else(|| StoreError::Corrupt {
                id: id.clone(),
                detail: "it is in flight without a token".to_owned(),
            })?;
            Ok(Dispatch { record, token })
        });
    Some((id, read))
}
