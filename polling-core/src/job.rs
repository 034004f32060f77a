//! The job as a poller sees it.

use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    caps,
    model::{self, TraceContext},
    spans::Carried,
};

/// One dispatch of a job, with its deadlines. Derefs to the model's [`Job`](model::Job), which
/// has the account to poll and the context that the last poll left.
///
/// Cheap to clone, so that layers such as retry can keep one. Clones count their calls together.
#[derive(Clone)]
pub struct Job {
    dispatch: Arc<Dispatch>,
    expires: Instant,
    deadline: Instant,
}

/// What all clones of a job share.
struct Dispatch {
    job: model::Job,
    carried: Option<Carried>,
    calls: AtomicU32,
}

impl Job {
    /// A dispatch received at `now_ms`, UTC milliseconds. Until a layer narrows it, its deadline
    /// is `not_after_ms`, at most [`caps::MAX_LIFETIME`] away.
    #[must_use]
    pub fn new(dispatch: model::Job, now_ms: i64) -> Self {
        Self::received(dispatch, None, now_ms, Instant::now())
    }

    /// The same, with both clocks read by the caller, and with what its message brought beside.
    pub(crate) fn received(
        dispatch: model::Job,
        carried: Option<Carried>,
        now_ms: i64,
        now: Instant,
    ) -> Self {
        let left_ms = dispatch.not_after_ms.saturating_sub(now_ms).max(0);
        let left = Duration::from_millis(left_ms.unsigned_abs()).min(caps::MAX_LIFETIME);
        let expires = now + left;
        Self {
            dispatch: Arc::new(Dispatch {
                job: dispatch,
                carried,
                calls: AtomicU32::new(0),
            }),
            expires,
            deadline: expires,
        }
    }

    /// When the poll must have ended: it is cancelled then.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// How long the poll may still take.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// When nobody waits for this dispatch any more: publishing and completing end by then.
    #[must_use]
    pub fn expires(&self) -> Instant {
        self.expires
    }

    /// Counts one call to the channel, about to be made. The crate's HTTP client does so for each
    /// request; with a client of your own call this, or tell the number at the end with
    /// [`Polled::with_calls`](crate::Polled::with_calls).
    pub fn count_call(&self) {
        self.dispatch.calls.fetch_add(1, Relaxed);
    }

    /// The calls to the channel that were counted for this dispatch, those of a poll that a layer
    /// of yours repeated included. The completion tells this number or what the poll told at its
    /// end, whichever is more.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.dispatch.calls.load(Relaxed)
    }

    /// The trace that this dispatch is a part of, where its message brought it: events and
    /// completion carry it on. Every dispatch has one, which
    /// [`TraceContext::of`] tells from its token.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        self.dispatch.carried.map(|carried| carried.trace)
    }

    /// When its message was sent, UTC milliseconds, where that is to be told with its trace.
    pub(crate) fn sent_ms(&self) -> Option<i64> {
        self.dispatch.carried.map(|carried| carried.sent_ms)
    }

    /// The same job with its deadline brought forward to `deadline`; a later one changes nothing.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = self.deadline.min(deadline);
        self
    }
}

impl Deref for Job {
    type Target = model::Job;

    fn deref(&self) -> &model::Job {
        &self.dispatch.job
    }
}

/// Without the context, which may hold what its owner would not want in a log.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .field("type", &self.job_type)
            .field("token", &self.token)
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}
