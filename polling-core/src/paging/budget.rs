//! How far one poll may go.

use tokio::time::Instant;

use crate::{Allowance, Job};

/// Calls and time that one poll may use.
#[derive(Debug, Clone)]
pub struct Budget {
    calls: u32,
    cutoff: Instant,
}

impl Budget {
    /// At most `calls` calls, and nine tenths of the time that the job has left: the last tenth is
    /// for what the poll does with them. The first call is always made.
    #[must_use]
    pub fn of(job: &Job, calls: u32) -> Self {
        Self {
            calls: calls.max(1),
            cutoff: job.deadline() - job.remaining() / 10,
        }
    }

    /// When a call is given up.
    #[must_use]
    pub fn cutoff(&self) -> Instant {
        self.cutoff
    }

    /// Takes one call out of it, if there is one left and time for it.
    #[must_use]
    pub fn spend(&mut self) -> bool {
        let affordable = self.calls > 0 && Instant::now() < self.cutoff;
        self.calls -= u32::from(affordable);
        affordable
    }

    /// Leaves no more calls than the channel has left for us.
    pub fn heed(&mut self, allowances: &[Allowance]) {
        for remaining in allowances
            .iter()
            .filter_map(|allowance| allowance.remaining)
        {
            let remaining = u32::try_from(remaining).unwrap_or(u32::MAX);
            self.calls = self.calls.min(remaining);
        }
    }
}
