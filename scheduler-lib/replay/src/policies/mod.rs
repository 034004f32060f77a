//! Policies to compare.

mod frequency;
mod interval;
mod ours;

use std::time::Duration;

use self::{
    frequency::Frequencies,
    interval::{Intervals, Rule},
    ours::Ours,
};
use crate::{Budget, MINUTE_MS, Policy, Trace, reference::Numpy};

/// What is known of each policy: its name, and what it does.
pub const ALL: [(&str, &str); 9] = [
    ("uniform", "everybody in turn"),
    ("tiered", "fixed frequencies by tier"),
    (
        "nutch",
        "shorter by a fifth after a hit, longer by a fifth after none",
    ),
    (
        "nutch-tuned",
        "the same with half and a twentieth, the best setting found",
    ),
    (
        "storm",
        "halves the way to a minute after a hit, longer by a half after none",
    ),
    (
        "aimd",
        "half a turn more often after a hit, a tenth less often after none",
    ),
    ("entryfreq", "a week by the items of the last week"),
    (
        "clair-static",
        "knows each account's rate over the whole trace, fixed frequencies as its root",
    ),
    ("ours", "polls where a call saves the most delay"),
];

/// What a policy is told.
#[derive(Debug)]
pub struct Settings<'a> {
    /// For the policies that know the future.
    trace: &'a Trace,
    budget: Budget,
    /// By account.
    pub weights: Vec<f64>,
    /// Of the tiers, for the policy that follows them.
    frequencies: [f64; 3],
    /// The period in which people come and go.
    pub day: Duration,
}

impl<'a> Settings<'a> {
    /// With equal weights; frequencies of the tiered policy are 4, 2 and 1.
    #[must_use]
    pub fn new(trace: &'a Trace, budget: Budget) -> Self {
        Self {
            weights: vec![1.0; trace.accounts.len()],
            trace,
            budget,
            frequencies: [4.0, 2.0, 1.0],
            day: Duration::from_secs(24 * 3600),
        }
    }

    /// Delays count by tier.
    #[must_use]
    pub fn tiers(self, weights: [f64; 3]) -> Self {
        let tiers = self.trace.tiers.iter();
        Self {
            weights: tiers.map(|tier| weights[*tier as usize]).collect(),
            frequencies: weights,
            ..self
        }
    }

    /// When each account was last polled before the trace began, in minutes: evenly spread over a
    /// round.
    fn last_polls_min(&self) -> impl Iterator<Item = f64> {
        let (first, _) = self.trace.minutes();
        let round = self.budget.every_min;
        let lots = Numpy::SEED_7.take(self.trace.accounts.len());
        lots.map(move |lot| first as f64 - lot * round)
    }
}

/// The policy of that name.
#[must_use]
pub fn named(name: &str, settings: &Settings<'_>) -> Option<Box<dyn Policy>> {
    let intervals = |rule| -> Box<dyn Policy> { Box::new(Intervals::new(settings, rule)) };
    Some(match name {
        "uniform" => Box::new(Frequencies::uniform(settings)),
        "tiered" => Box::new(Frequencies::tiered(settings)),
        "clair-static" => Box::new(Frequencies::clairvoyant(settings)),
        "nutch" => intervals(Rule::Multiply {
            hit: 0.8,
            miss: 1.2,
        }),
        "nutch-tuned" => intervals(Rule::Multiply {
            hit: 0.5,
            miss: 1.05,
        }),
        "storm" => intervals(Rule::Approach {
            share: 0.5,
            miss: 1.5,
        }),
        "aimd" => intervals(Rule::Frequency {
            add: 0.5,
            keep: 0.9,
        }),
        "entryfreq" => intervals(Rule::Count),
        "ours" => Box::new(Ours::new(settings)),
        _ => return None,
    })
}

/// Those of the largest score, `count` of them; of equal ones the first, so that it is always the
/// same.
fn largest(scores: impl Iterator<Item = f64>, count: usize) -> Vec<usize> {
    let mut scored: Vec<_> = scores.zip(0..).collect();
    if count < scored.len() {
        scored.select_nth_unstable_by(count - 1, |(one, i), (two, j)| {
            two.total_cmp(one).then(i.cmp(j))
        });
        scored.truncate(count);
    }
    scored.into_iter().map(|(_, account)| account).collect()
}

const fn minutes(ms: i64) -> f64 {
    ms as f64 / MINUTE_MS as f64
}
