//! A simulated process: it dies, stands still, and has a clock of its own.

use std::{
    future::pending,
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::Duration,
};

use polling_model::Clock;
use polling_transport::TokioClock;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// One life of a scheduler, a worker or the operator.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: String,
    clock: TokioClock,
    /// Its own clock less the true one, milliseconds.
    skew_ms: AtomicI64,
    stalled_until_ms: AtomicI64,
    died: CancellationToken,
}

impl Process {
    pub(crate) fn new(name: String, clock: TokioClock) -> Self {
        Self {
            name,
            clock,
            skew_ms: AtomicI64::new(0),
            stalled_until_ms: AtomicI64::new(0),
            died: CancellationToken::new(),
        }
    }

    /// From now on nothing of it has an effect.
    pub(crate) fn die(&self) {
        self.died.cancel();
    }

    pub(crate) async fn dead(&self) {
        self.died.cancelled().await;
    }

    /// Every call of the process to the outside passes here before and after its effect: the dead
    /// never pass, the stalled later.
    pub(crate) async fn pass(&self) {
        loop {
            if self.died.is_cancelled() {
                return pending().await;
            }
            let left_ms = self.stalled_until_ms.load(Relaxed) - self.clock.now_ms();
            if left_ms <= 0 {
                return;
            }
            sleep(Duration::from_millis(left_ms.unsigned_abs())).await;
        }
    }

    pub(crate) fn stall(&self, lasting: Duration) {
        let until_ms = self.clock.now_ms() + lasting.as_millis() as i64;
        self.stalled_until_ms.store(until_ms, Relaxed);
    }

    pub(crate) fn set_skew_ms(&self, skew_ms: i64) {
        self.skew_ms.store(skew_ms, Relaxed);
    }

    pub(crate) fn skew_ms(&self) -> i64 {
        self.skew_ms.load(Relaxed)
    }
}

/// The time as the process sees it.
impl Clock for Process {
    fn now_ms(&self) -> i64 {
        self.clock.now_ms() + self.skew_ms()
    }
}
