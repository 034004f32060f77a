//! Calls are paced, and wait for windows that are used up.

mod future;
mod ledger;
mod pacer;
mod replicas;
mod scope;
mod service;
mod share;

use std::{sync::Arc, time::Duration};

pub use governor::Quota;
use tower::Layer;

use self::ledger::Ledger;
pub(crate) use self::pacer::Pacer;
pub use self::{future::ResponseFuture, replicas::Replicas, scope::Scope, service::RateLimit};
use crate::{Allowance, CallError, Job, PollError, Polled, SharedClock};

/// Puts [`RateLimit`] around a service. All services of one layer, and their clones, share what
/// they know of the limits.
///
/// ```
/// use std::{num::NonZeroU32, sync::Arc, time::Duration};
/// use polling_core::{SystemClock, rate_limit::{Quota, RateLimitLayer, Scope}};
///
/// let two = NonZeroU32::new(2).expect("2 is not 0");
/// let layer = RateLimitLayer::new(Arc::new(SystemClock), Duration::from_secs(2))
///     .follow(Scope::app())
///     .pace(Scope::account(), Quota::per_second(two));
/// ```
#[derive(Debug, Clone)]
pub struct RateLimitLayer {
    clock: SharedClock,
    ledger: Arc<Ledger>,
    followed: Vec<Scope>,
    pacers: Vec<Arc<Pacer>>,
    replicas: Replicas,
    longest_wait: Duration,
}

impl RateLimitLayer {
    /// Limits nothing yet. A call that would have to wait longer than `longest_wait` fails as
    /// rate limited instead of holding its permit.
    #[must_use]
    pub fn new(clock: SharedClock, longest_wait: Duration) -> Self {
        Self {
            clock,
            ledger: Arc::new(Ledger::default()),
            followed: Vec::new(),
            pacers: Vec::new(),
            replicas: Replicas::default(),
            longest_wait,
        }
    }

    /// Makes calls of `scope` wait for what the channel reports: when an allowance says that
    /// nothing remains, until its reset.
    #[must_use]
    pub fn follow(mut self, scope: Scope) -> Self {
        self.followed.push(scope);
        self
    }

    /// Paces the calls of `scope` by `quota`, whatever the channel reports, and follows it too. The
    /// quota is that of all [`replicas`](Self::replicas) together.
    #[must_use]
    pub fn pace(mut self, scope: Scope, quota: Quota) -> Self {
        self.pacers.push(Arc::new(Pacer::new(scope.clone(), quota)));
        self.follow(scope)
    }

    /// Takes one part of every pace, of as many as there are `replicas`: the calls of all of them
    /// together keep it. One unless set.
    ///
    /// A change takes effect at the next call, and gives no scope a fresh burst. Each part has a
    /// call at least to begin with, so a burst of fewer calls than replicas is passed by the
    /// difference, once. A worker that starts does not know what others have used up.
    #[must_use]
    pub fn replicas(mut self, replicas: Replicas) -> Self {
        self.replicas = replicas;
        self
    }

    /// Its paces, in their order.
    pub(crate) fn pacers(&self) -> &[Arc<Pacer>] {
        &self.pacers
    }

    /// How long the job's scopes are still used up, by what the channel reported.
    fn used_up(&self, job: &Job) -> Duration {
        if self.ledger.is_empty() {
            return Duration::ZERO;
        }
        let now_ms = self.clock.now_ms();
        let waits = self
            .followed
            .iter()
            .map(|scope| self.ledger.wait(&scope.of(job), now_ms));
        waits.max().unwrap_or_default()
    }

    /// Notes what the channel said, whether the poll passed or failed.
    fn note_result(&self, job: &Job, result: &Result<Polled, CallError>) {
        match result {
            Ok(polled) => {
                self.note(job, &polled.allowances);
                let stopped = polled.stopped.as_ref();
                self.note(job, stopped.map_or(&[], PollError::allowances));
            }
            Err(CallError::Poll(error)) => self.note(job, error.allowances()),
            Err(CallError::Bug(_)) => {}
        }
    }

    fn note(&self, job: &Job, allowances: &[Allowance]) {
        if allowances.is_empty() {
            return;
        }
        let now_ms = self.clock.now_ms();
        let mine: Vec<_> = self.followed.iter().map(|scope| scope.of(job)).collect();
        for allowance in allowances
            .iter()
            .filter(|allowance| mine.contains(&allowance.scope))
        {
            self.ledger.note(allowance.clone().clamped(now_ms), now_ms);
        }
    }
}

/// What a call that would wait too long fails with.
fn refused(wait: Duration) -> PollError {
    PollError::rate_limited("the rate limit's next window is too far away to wait for it")
        .with_code("paced")
        .with_retry_after(wait)
        .with_calls(0)
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimit<S>;

    fn layer(&self, inner: S) -> RateLimit<S> {
        RateLimit::new(inner, Arc::new(self.clone()))
    }
}
