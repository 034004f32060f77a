//! Many runs on all cores.

use std::{
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use super::{
    faults::{Fault, FaultCounts},
    measures::Measures,
    property::Violation,
    run::{Outcome, run},
    scenario::Scenario,
};

/// Minutes with faults of one run, unless a named scenario sets others.
pub const RUN_MINUTES: u64 = 240;

/// What to run: one seed after the other, each for `run_minutes`, the last for what is left.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Changes each run's scenario after it is drawn.
    pub shape: fn(Scenario) -> Scenario,
    /// What to write after the program's name to have that shape.
    pub named: Option<&'static str>,
    /// The first run's.
    pub seed: u64,
    /// Simulated minutes with faults, all runs together. The minutes of healing come on top.
    pub minutes: u64,
    /// Those of one run.
    pub run_minutes: u64,
    /// Jobs of each run.
    pub jobs: u64,
    /// Kinds of fault to leave out.
    pub without: Vec<Fault>,
    /// Runs at the same time.
    pub threads: NonZeroUsize,
}

impl Default for Campaign {
    /// A single run of a hundred jobs and seed 0, with the faults that are drawn.
    fn default() -> Self {
        Self {
            shape: |scenario| scenario,
            named: None,
            seed: 0,
            minutes: RUN_MINUTES,
            run_minutes: RUN_MINUTES,
            jobs: 100,
            without: Vec::new(),
            threads: NonZeroUsize::MIN,
        }
    }
}

/// What all runs came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Runs that ended.
    pub runs: u64,
    /// Simulated minutes, healing included.
    pub minutes: u64,
    /// Faults by kind.
    pub faults: FaultCounts,
    /// What they amounted to.
    pub measures: Measures,
    /// The runs that failed. After the first none is begun.
    pub failed: Vec<Failed>,
}

/// A run that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// Its seed.
    pub seed: u64,
    /// Its minutes with faults.
    pub minutes: u64,
    /// How.
    pub violation: Violation,
}

impl Campaign {
    /// The scenario of one run.
    #[must_use]
    pub fn scenario(&self, seed: u64, minutes: u64) -> Scenario {
        (self.shape)(Scenario::draw(seed, minutes, self.jobs)).without(&self.without)
    }

    /// Runs all, and tells `progress` the simulated minutes with faults of each run that ended.
    #[must_use]
    pub fn run(&self, progress: impl Fn(u64) + Sync) -> Totals {
        let totals = Mutex::new(Totals::default());
        let next = AtomicU64::new(0);
        let work = || {
            while let Some((seed, minutes)) = self.nth(next.fetch_add(1, Relaxed)) {
                let outcome = run(self.scenario(seed, minutes), false);
                progress(minutes);
                let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
                totals.add(seed, minutes, outcome);
                if !totals.failed.is_empty() {
                    break;
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.threads.get() {
                scope.spawn(work);
            }
        });
        totals.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The seed and the minutes of the run of that number.
    fn nth(&self, run: u64) -> Option<(u64, u64)> {
        let left = self.minutes.checked_sub(run * self.run_minutes)?;
        (left > 0).then(|| (self.seed.wrapping_add(run), left.min(self.run_minutes)))
    }
}

impl Totals {
    fn add(&mut self, seed: u64, minutes: u64, outcome: Outcome) {
        self.runs += 1;
        self.minutes += outcome.minutes;
        self.measures.add(&outcome.measures);
        for (fault, count) in outcome.faults {
            *self.faults.entry(fault).or_insert(0) += count;
        }
        if let Some(violation) = outcome.violation {
            self.failed.push(Failed {
                seed,
                minutes,
                violation,
            });
        }
    }

    /// Faults of every kind.
    #[must_use]
    pub fn all_faults(&self) -> u64 {
        self.faults.values().sum()
    }

    /// Failures that are forks; the others are losses.
    #[must_use]
    pub fn forked(&self) -> usize {
        let forks = self
            .failed
            .iter()
            .filter(|failed| failed.violation.property.is_fork());
        forks.count()
    }

    /// Failures that are no forks.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.failed.len() - self.forked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minutes_are_dealt_out_to_consecutive_seeds() {
        let campaign = Campaign {
            seed: u64::MAX,
            minutes: 2 * RUN_MINUTES + 7,
            ..Campaign::default()
        };
        let runs: Vec<_> = (0..4).map(|run| campaign.nth(run)).collect();
        let expected = [
            Some((u64::MAX, RUN_MINUTES)),
            Some((0, RUN_MINUTES)),
            Some((1, 7)),
            None,
        ];
        assert_eq!(runs, expected);
    }
}
