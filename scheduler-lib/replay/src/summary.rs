//! An outcome in a few figures.

use crate::{Outcome, Tier, Trace};

/// Minutes that a lost item counts as, in the cost.
const LOSS_MIN: f64 = 720.0;

/// Delays are of the items that were not lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Mean delay.
    pub mean_min: f64,
    /// Median delay.
    pub p50_min: f64,
    /// Nine in ten were seen sooner.
    pub p90_min: f64,
    /// All but one in a hundred.
    pub p99_min: f64,
    /// Items lost.
    pub lost: usize,
    /// Polls that overflowed their page.
    pub full: usize,
    /// Mean over all items, weighted, of the delay, or 720 minutes for a lost one.
    pub cost_min: f64,
    /// Polls.
    pub calls: usize,
    /// Mean delay by tier; `None` for one without items.
    pub tiers_min: [Option<f64>; 3],
}

impl Summary {
    /// With the weight of each account.
    #[must_use]
    pub fn new(trace: &Trace, weights: &[f64], outcome: &Outcome) -> Self {
        let mut sorted = outcome.delays_min.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let of_tier =
            |tier| {
                let delays = outcome.delays_min.iter().zip(&outcome.accounts);
                mean(delays.filter_map(|(delay, account)| {
                    (trace.tiers[*account] == tier).then_some(*delay)
                }))
            };
        Self {
            mean_min: mean(sorted.iter().copied()).unwrap_or(0.0),
            p50_min: quantile(&sorted, 0.5),
            p90_min: quantile(&sorted, 0.9),
            p99_min: quantile(&sorted, 0.99),
            lost: outcome.lost.iter().sum(),
            full: outcome.full,
            cost_min: cost(weights, outcome),
            calls: outcome.calls,
            tiers_min: Tier::ALL.map(of_tier),
        }
    }
}

fn cost(weights: &[f64], outcome: &Outcome) -> f64 {
    let (mut cost, mut weight) = (0.0, 0.0);
    for (delay, account) in outcome.delays_min.iter().zip(&outcome.accounts) {
        cost += delay * weights[*account];
        weight += weights[*account];
    }
    for (lost, its_weight) in outcome.lost.iter().zip(weights) {
        cost += *lost as f64 * LOSS_MIN * its_weight;
        weight += *lost as f64 * its_weight;
    }
    if weight > 0.0 { cost / weight } else { 0.0 }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// With what lies between two values taken from the line between them.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let at = share * last as f64;
    let below = at as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}
