//! Time as a value. Nothing in the SDK asks the system for the time: it asks the clock it was
//! given, so that a test or a simulation owns the day.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// A source of wall-clock time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// UTC milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// A clock that many tasks share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    // The one place that may ask.
    #[allow(clippy::disallowed_methods)]
    fn now_ms(&self) -> i64 {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since_epoch.map_or(0, |elapsed| elapsed.as_millis() as i64)
    }
}

/// A clock moved by hand. Clones share the hand.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at `now_ms`, UTC milliseconds.
    #[must_use]
    pub fn at(now_ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(now_ms)))
    }

    /// Moves on by `step`.
    pub fn advance(&self, step: Duration) {
        self.0.fetch_add(step.as_millis() as i64, Ordering::SeqCst);
    }

    /// Jumps to `now_ms`, back or forth.
    pub fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}
