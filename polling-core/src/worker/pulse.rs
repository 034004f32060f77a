//! Whether jobs under way end.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use crate::SharedClock;

/// No job is under way.
const IDLE: i64 = i64::MIN;

/// Tells, of a worker that runs, whether its jobs end: what a check of its liveness asks.
#[derive(Clone)]
pub struct Pulse {
    clock: SharedClock,
    since_ms: Arc<AtomicI64>,
}

impl Pulse {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            since_ms: Arc::new(AtomicI64::new(IDLE)),
        }
    }

    /// Since when jobs are under way of which none has ended, UTC milliseconds by the worker's
    /// clock; `None` while there are none.
    ///
    /// Every job ends within [`WorkerConfig::max_lifetime`](super::WorkerConfig::max_lifetime). A worker in which none has for much
    /// longer is stuck: its polls block their threads, or nobody looks after them.
    #[must_use]
    pub fn waiting_since_ms(&self) -> Option<i64> {
        let since_ms = self.since_ms.load(Ordering::Relaxed);
        (since_ms != IDLE).then_some(since_ms)
    }

    /// A job began.
    pub(super) fn began(&self) {
        if self.since_ms.load(Ordering::Relaxed) == IDLE {
            self.since_ms.store(self.clock.now_ms(), Ordering::Relaxed);
        }
    }

    /// Jobs ended, and so many are left.
    pub(super) fn ended(&self, left: usize) {
        let since_ms = if left == 0 { IDLE } else { self.clock.now_ms() };
        self.since_ms.store(since_ms, Ordering::Relaxed);
    }
}

impl fmt::Debug for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pulse = f.debug_struct("Pulse");
        pulse.field("waiting_since_ms", &self.waiting_since_ms());
        pulse.finish_non_exhaustive()
    }
}
