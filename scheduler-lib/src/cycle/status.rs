//! What the loops of a channel have done, for health checks and pages.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// How a channel's cycle is doing in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ChannelStatus {
    /// When the slots were last looked at without error, UTC milliseconds; 0 before the first
    /// time. Its age is the measure of liveness: the loop is driven by time alone.
    pub last_tick_ms: i64,
    /// Jobs dispatched.
    pub dispatched: u64,
    /// Drained jobs that got no call, and were placed anew.
    pub postponed: u64,
    /// Completions accepted.
    pub accepted: u64,
    /// Completions and dead letters that changed nothing.
    pub stale: u64,
    /// Jobs reaped.
    pub reaped: u64,
    /// Jobs whose place was mended.
    pub repaired: u64,
    /// Jobs sent again since their first sending was not known to have ended.
    pub resent: u64,
    /// Dead letters settled.
    pub dead_letters: u64,
    /// Messages that could not be decoded.
    pub undecodable: u64,
    /// What channels said of their limits that was out of all bounds, and was taken within them.
    pub absurd_limits: u64,
}

/// The same, counted by many tasks.
#[derive(Debug, Default)]
pub(crate) struct StatusCell {
    pub(super) last_tick_ms: AtomicI64,
    pub(super) dispatched: AtomicU64,
    pub(super) postponed: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) stale: AtomicU64,
    pub(super) reaped: AtomicU64,
    pub(super) repaired: AtomicU64,
    pub(super) resent: AtomicU64,
    pub(super) dead_letters: AtomicU64,
    pub(super) undecodable: AtomicU64,
    pub(super) absurd_limits: AtomicU64,
}

/// Counts on; each counter stands alone, so no order between them is needed.
pub(super) fn add(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Relaxed);
}

impl StatusCell {
    pub(crate) fn read(&self) -> ChannelStatus {
        ChannelStatus {
            last_tick_ms: self.last_tick_ms.load(Relaxed),
            dispatched: self.dispatched.load(Relaxed),
            postponed: self.postponed.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            stale: self.stale.load(Relaxed),
            reaped: self.reaped.load(Relaxed),
            repaired: self.repaired.load(Relaxed),
            resent: self.resent.load(Relaxed),
            dead_letters: self.dead_letters.load(Relaxed),
            undecodable: self.undecodable.load(Relaxed),
            absurd_limits: self.absurd_limits.load(Relaxed),
        }
    }
}
