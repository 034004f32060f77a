//! Scenarios with a name: what goes wrong in each, and what must come of it.

mod expect;
mod shape;
mod table;

use std::num::NonZeroUsize;

pub use self::{
    expect::{Bound, Figure},
    table::ALL,
};
use super::{
    campaign::{Campaign, Totals},
    scenario::Scenario,
};

/// A scenario that has a name.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// Kebab-case.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// As it is meant.
    pub full: Size,
    /// As a test has it.
    pub small: Size,
    shape: fn(Scenario) -> Scenario,
    expect: fn(&Totals, &Scenario) -> Vec<Figure>,
}

/// How much of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Runs, each of a seed of its own.
    pub runs: u64,
    /// Simulated minutes of each, before it heals.
    pub minutes: u64,
    /// Jobs of each.
    pub jobs: u64,
}

/// What came of a named scenario.
#[derive(Debug, Clone)]
pub struct Report {
    /// What was run.
    pub campaign: Campaign,
    /// What all its runs came to.
    pub totals: Totals,
    /// What was expected, and what was found.
    pub figures: Vec<Figure>,
}

impl Named {
    /// The scenario of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|named| named.name == name)
    }

    /// What to run for it.
    #[must_use]
    pub fn campaign(&self, size: Size, seed: u64, threads: NonZeroUsize) -> Campaign {
        Campaign {
            shape: self.shape,
            named: Some(self.name),
            seed,
            minutes: size.runs * size.minutes,
            run_minutes: size.minutes,
            jobs: size.jobs,
            without: Vec::new(),
            threads,
        }
    }

    /// Runs it, and compares with what is expected.
    #[must_use]
    pub fn run(&self, campaign: Campaign, progress: impl Fn(u64) + Sync) -> Report {
        let totals = campaign.run(progress);
        let scenario = campaign.scenario(campaign.seed, campaign.run_minutes);
        let figures = (self.expect)(&totals, &scenario);
        Report {
            campaign,
            totals,
            figures,
        }
    }
}

impl Report {
    /// Whether every promise was kept and every figure is within its bound.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.totals.failed.is_empty() && self.figures.iter().all(Figure::is_met)
    }
}
