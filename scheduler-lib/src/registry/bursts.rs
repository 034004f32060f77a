//! Jobs whose polls found more than they could fetch.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use polling_model::{AccountId, JobId};

use super::{Registry, RegistryError};
use crate::{
    policy::Override,
    store::{Burst, JobState, MAX_BURSTS, Place},
};

/// A job whose polls found more than they could fetch.
#[derive(Debug, Clone, PartialEq)]
pub struct Bursting {
    /// The job.
    pub id: JobId,
    /// Who is polled for.
    pub account: AccountId,
    /// Whether it is still registered.
    pub registered: bool,
    /// At which interval it is polled now, in milliseconds; `None` if nobody knows any more.
    pub interval_ms: Option<i64>,
    /// What was decided by hand about that.
    pub pace: Option<Override>,
    /// When it is polled next, UTC milliseconds, unless it is held.
    pub due_ms: Option<i64>,
    /// Why then, in words; empty if nobody knows any more.
    pub reason: String,
    /// Its bursts that are kept, newest first; at least one.
    pub bursts: Vec<Burst>,
}

impl Registry {
    /// Jobs whose polls found more than they could fetch, with their last bursts: those that had
    /// most of them first, at most `limit`. Of all jobs together the last [`MAX_BURSTS`] bursts are
    /// kept.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn bursts(&self, limit: usize) -> Result<Vec<Bursting>, RegistryError> {
        let store = &self.channel.store;
        let mut by_job: BTreeMap<JobId, Vec<Burst>> = BTreeMap::new();
        for burst in store.bursts(MAX_BURSTS).await? {
            by_job.entry(burst.id.clone()).or_default().push(burst);
        }
        let mut bursting: Vec<_> = by_job.into_iter().collect();
        // By id, where as often.
        bursting.sort_by_key(|(_, bursts)| Reverse(bursts.len()));
        bursting.truncate(limit);
        let ids: Vec<_> = bursting.iter().map(|(id, _)| id.clone()).collect();
        let states = store.load(&ids).await?;
        let told = bursting.into_iter().zip(states);
        Ok(told
            .map(|((id, bursts), state)| self.bursting(id, bursts, state))
            .collect())
    }

    /// How many accounts had a burst at `since_ms` or later, UTC milliseconds, by the last `limit` bursts.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn accounts_that_burst(
        &self,
        since_ms: i64,
        limit: usize,
    ) -> Result<usize, RegistryError> {
        let bursts = self.channel.store.bursts(limit).await?.into_iter();
        let late = bursts.filter(|burst| burst.at_ms >= since_ms);
        let accounts: BTreeSet<_> = late.map(|burst| burst.account).collect();
        Ok(accounts.len())
    }

    /// The kept bursts of one job; `None` if none of its are kept.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn bursts_of(&self, id: &JobId) -> Result<Option<Bursting>, RegistryError> {
        let store = &self.channel.store;
        let mut bursts = store.bursts(MAX_BURSTS).await?;
        bursts.retain(|burst| burst.id == *id);
        if bursts.is_empty() {
            return Ok(None);
        }
        let state = store.load(std::slice::from_ref(id)).await?.pop().flatten();
        Ok(Some(self.bursting(id.clone(), bursts, state)))
    }

    fn bursting(&self, id: JobId, bursts: Vec<Burst>, state: Option<JobState>) -> Bursting {
        let interval_ms = |state: &JobState| {
            let policy = self.channel.policy(&state.job_type);
            let by_rules = policy.map(|policy| policy.rules.interval_ms(&state.level));
            state.pace.and_then(Override::pin_ms).or(by_rules)
        };
        let comes = |state: &&JobState| !matches!(state.place, Place::Held(_));
        Bursting {
            id,
            account: bursts[0].account.clone(),
            registered: state.is_some(),
            interval_ms: state.as_ref().and_then(interval_ms),
            pace: state.as_ref().and_then(|state| state.pace),
            due_ms: state.as_ref().filter(comes).map(|state| state.due_ms),
            reason: state.map_or_else(String::new, |state| state.reason().to_owned()),
            bursts,
        }
    }
}
