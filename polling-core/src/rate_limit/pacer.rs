//! So many calls per second for each scope.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use governor::Quota;
use tokio::time::Instant;

use super::{
    Replicas, Scope,
    share::{Debt, Share},
};
use crate::{Job, ScopeKey, caps};

pub(super) struct Pacer {
    scope: Scope,
    quota: Quota,
    debts: Mutex<BTreeMap<ScopeKey, Debt>>,
    /// Shared by all scopes beyond [`caps::MAX_SCOPES`]: slower than needed, never faster.
    overflow: ScopeKey,
}

impl Pacer {
    pub(super) fn new(scope: Scope, quota: Quota) -> Self {
        Self {
            scope,
            quota,
            debts: Mutex::default(),
            overflow: ScopeKey::new("~overflow").expect("~overflow is a valid scope"),
        }
    }

    /// Passes one call of the job's scope, or tells how long to wait before asking again.
    pub(super) fn pass(&self, job: &Job, replicas: &Replicas) -> Result<(), Duration> {
        let share = Share::of(self.quota, replicas.get());
        let now = Instant::now();
        let mut key = self.scope.of(job);
        // A debt is replaced as a whole, so none is left half-way.
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        if debts.len() >= caps::MAX_SCOPES && !debts.contains_key(&key) {
            debts.retain(|_, debt| !share.is_paid(*debt, now));
            if debts.len() >= caps::MAX_SCOPES {
                key = self.overflow.clone();
            }
        }
        let debt = share.pass(debts.get(&key).copied(), now)?;
        debts.insert(key, debt);
        Ok(())
    }
}

impl fmt::Debug for Pacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pacer({:?})", self.scope)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::{Context, model};

    fn job(account: usize) -> Job {
        let dispatch = model::Job {
            id: format!("posts:{account}").parse().unwrap(),
            channel: "mastodon".parse().unwrap(),
            job_type: "posts".parse().unwrap(),
            account: account.to_string().parse().unwrap(),
            level: "gold".parse().unwrap(),
            token: model::Token::from_wire("00000000000000a1.1.00000000000000b2").unwrap(),
            due_ms: 0,
            not_after_ms: 60_000,
            context: Context::new(),
        };
        Job::new(dispatch, 0)
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_scopes_is_bounded_and_those_beyond_share_one_pace() {
        let (pacer, alone) = (
            Pacer::new(Scope::account(), Quota::per_second(NonZeroU32::MIN)),
            Replicas::default(),
        );
        let pass = |account| pacer.pass(&job(account), &alone);
        let kept = || pacer.debts.lock().unwrap().len();
        for account in 0..caps::MAX_SCOPES {
            assert_eq!(pass(account), Ok(()));
        }
        assert_eq!(pass(caps::MAX_SCOPES), Ok(()));
        let shared = pass(caps::MAX_SCOPES + 1);
        assert_eq!(shared, Err(Duration::from_secs(1)));
        assert_eq!(kept(), caps::MAX_SCOPES + 1, "and the shared one");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(pass(caps::MAX_SCOPES + 1), Ok(()));
        assert_eq!(kept(), 1, "what is paid goes first");
    }
}
