//! The channel's rate limit, and how many calls beyond it are nobody's fault.

use crate::cycle::process::Process;

/// Its length, milliseconds.
pub(super) const WINDOW_MS: i64 = 60_000;

/// So many calls in each window.
#[derive(Debug, Clone, Copy)]
pub(super) struct WindowLimit {
    pub(super) calls: u64,
    /// Calls that one worker may have under way, or begin, before it hears that nothing remains.
    pub(super) under_way: u64,
    pub(super) workers: u64,
}

/// The window that runs now.
#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) number: i64,
    /// Calls answered.
    pub(super) calls: u64,
    refused: u64,
    /// Workers that began anew, or whose clock jumped.
    pub(super) renewals: u64,
}

impl Window {
    /// The window at a time.
    pub(super) fn at(&mut self, now_ms: i64) -> &mut Self {
        let number = now_ms / WINDOW_MS;
        if self.number != number {
            *self = Self {
                number,
                ..Self::default()
            };
        }
        self
    }

    /// A call beyond the limit. Each worker may make those that it has under way when it first
    /// hears that nothing remains, and a new one as many. One whose clock is off sees the window
    /// end early or late, and is not counted.
    pub(super) fn refuse(&mut self, limit: WindowLimit, process: &Process) -> Result<(), String> {
        if process.skew_ms() != 0 {
            return Ok(());
        }
        self.refused += 1;
        let slack = limit.under_way * (limit.workers + self.renewals);
        if self.refused <= slack {
            return Ok(());
        }
        Err(format!(
            "{} calls beyond the {} of a window, {slack} may be under way",
            self.refused, limit.calls
        ))
    }
}
