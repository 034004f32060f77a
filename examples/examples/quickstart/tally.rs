//! What the observers saw: counts for the view and the summary.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use polling_core::{Observation, Observer};

/// Counts, shared by scheduler and worker.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

/// The counts themselves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) cycles: u64,
    pub(crate) events: u64,
    pub(crate) errors: BTreeMap<&'static str, u64>,
    pub(crate) lateness_ms: Vec<i64>,
    pub(crate) bugs: u64,
    pub(crate) reaped: u64,
    pub(crate) repaired: u64,
}

impl Tally {
    /// A poll began so long after its job was due.
    pub(crate) fn late(&self, lateness_ms: i64) {
        self.counts().lateness_ms.push(lateness_ms);
    }

    pub(crate) fn read(&self) -> Counts {
        self.counts().clone()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Tally {
    fn observe(&self, observation: Observation<'_>) {
        let mut counts = self.counts();
        match observation {
            Observation::Settled {
                verdict: "accepted",
                outcome,
                ..
            } => {
                counts.cycles += 1;
                if outcome != "ok" {
                    *counts.errors.entry(outcome).or_default() += 1;
                }
            }
            Observation::Polled { events, .. } => counts.events += events as u64,
            Observation::Bug { .. } => counts.bugs += 1,
            Observation::Reaped { jobs, .. } => counts.reaped += jobs as u64,
            Observation::Repaired { jobs, .. } => counts.repaired += jobs as u64,
            _ => {}
        }
    }
}

impl Counts {
    /// The lateness that `percent` of the polls did not exceed, milliseconds.
    pub(crate) fn lateness(&self, percent: usize) -> i64 {
        let mut sorted = self.lateness_ms.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }
}
