//! So many calls per second for each scope.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::Quota;
use tokio::time::Instant;

use super::{
    Replicas, Scope,
    share::{Debt, Share},
};
use crate::{Job, ScopeKey, caps};

pub(crate) struct Pacer {
    scope: Scope,
    state: Mutex<State>,
    /// Shared by all scopes beyond [`caps::MAX_SCOPES`]: slower than needed, never faster.
    overflow: ScopeKey,
}

struct State {
    quota: Quota,
    debts: BTreeMap<ScopeKey, Debt>,
}

impl Pacer {
    pub(super) fn new(scope: Scope, quota: Quota) -> Self {
        let debts = BTreeMap::new();
        Self {
            scope,
            state: Mutex::new(State { quota, debts }),
            overflow: ScopeKey::new("~overflow").expect("~overflow is a valid scope"),
        }
    }

    /// Passes one call of the job's scope, or tells how long to wait before asking again.
    pub(super) fn pass(&self, job: &Job, replicas: &Replicas) -> Result<(), Duration> {
        let now = Instant::now();
        let mut key = self.scope.of(job);
        let mut state = self.lock();
        let State { quota, debts } = &mut *state;
        let share = Share::of(*quota, replicas.get());
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

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(crate) fn quota(&self) -> Quota {
        self.lock().quota
    }

    /// Goes by `quota` from the next call on. What a scope has used up stays used up: so many calls, not so much time.
    pub(crate) fn set_quota(&self, quota: Quota, replicas: &Replicas) {
        let (now, replicas) = (Instant::now(), replicas.get());
        let mut state = self.lock();
        let State { quota: held, debts } = &mut *state;
        let (before, after) = (Share::of(*held, replicas), Share::of(quota, replicas));
        for debt in debts.values_mut() {
            *debt = after.convert(*debt, before, now);
        }
        *held = quota;
    }

    /// A debt is replaced as a whole, so none is left half-way.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let kept = || pacer.lock().debts.len();
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
