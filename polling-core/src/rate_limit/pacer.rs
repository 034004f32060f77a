//! So many calls per second for each scope.

use std::{fmt, time::Duration};

use governor::{
    Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, state::keyed::HashMapStateStore,
};

use super::Scope;
use crate::{Job, ScopeKey, caps, time::TokioTime};

type Limiter =
    RateLimiter<ScopeKey, HashMapStateStore<ScopeKey>, TokioTime, NoOpMiddleware<Duration>>;

pub(super) struct Pacer {
    scope: Scope,
    time: TokioTime,
    limiter: Limiter,
    /// Shared by all scopes beyond [`caps::MAX_SCOPES`]: slower than needed, never faster.
    overflow: ScopeKey,
}

impl Pacer {
    pub(super) fn new(scope: Scope, quota: Quota) -> Self {
        let time = TokioTime::new();
        Self {
            scope,
            limiter: RateLimiter::new(quota, HashMapStateStore::default(), time.clone()),
            time,
            overflow: ScopeKey::new("~overflow").expect("~overflow is a valid scope"),
        }
    }

    /// Passes one call of the job's scope, or tells how long to wait before asking again.
    pub(super) fn pass(&self, job: &Job) -> Result<(), Duration> {
        let full = || self.limiter.len() >= caps::MAX_SCOPES;
        if full() {
            self.limiter.retain_recent();
        }
        let key = if full() {
            self.overflow.clone()
        } else {
            self.scope.of(job)
        };
        self.limiter
            .check_key(&key)
            .map_err(|not_until| not_until.wait_time_from(self.time.now()))
    }
}

impl fmt::Debug for Pacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pacer({:?})", self.scope)
    }
}
