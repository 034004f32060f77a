//! How delay grows with accounts.

use indicatif::{ProgressBar, ProgressStyle};
use scheduler_lib::plan::{Break, PlanInput, plan};

use super::Planned;

/// Plans of a curve.
const POINTS: u32 = 64;

/// Of the accounts that are planned with, the curve goes from a twentieth at the least to twenty
/// times as many at the most.
const WIDEST: f64 = 20.0;

/// Delay of each level by accounts.
pub(super) struct Growth {
    /// How many times the accounts, from few to many.
    pub(super) factors: Vec<f64>,
    /// By level, then by factor: minutes, without end where nobody is polled.
    pub(super) delays: Vec<Vec<f64>>,
}

impl Growth {
    /// A bar shows how far it is, if standard error is a terminal.
    pub(super) fn of(planned: &Planned) -> anyhow::Result<Self> {
        let now = planned.input.accounts;
        let breaks = planned
            .plan
            .breaks
            .iter()
            .filter_map(|found| found.accounts);
        let within = breaks.filter(|factor| (now / WIDEST..now * WIDEST).contains(factor));
        let within: Vec<_> = within.collect();
        let low = within.iter().copied().fold(now / 2.0, f64::min) / 2.0;
        let high = within.iter().copied().fold(now * 2.0, f64::max) * 2.0;
        let step = (high / low).powf(1.0 / f64::from(POINTS));
        let even = (0..=POINTS).map(|at| low * step.powi(at as i32));
        // Curves bend where things break.
        let mut factors: Vec<_> = even.chain(within).chain([now]).collect();
        factors.sort_by(f64::total_cmp);
        let mut delays = vec![Vec::with_capacity(factors.len()); planned.plan.levels.len()];
        let bar = ProgressBar::new(factors.len() as u64);
        bar.set_style(ProgressStyle::with_template(
            "{bar:30} {pos}/{len} plans, {elapsed}",
        )?);
        for accounts in bar.wrap_iter(factors.iter()) {
            let input = PlanInput {
                accounts: *accounts,
                ..planned.input.clone()
            };
            for (delays, level) in delays.iter_mut().zip(plan(&input)?.levels) {
                delays.push(level.staleness_minutes);
            }
        }
        bar.finish_and_clear();
        Ok(Self { factors, delays })
    }

    /// Breaks within the curves, from few accounts to many.
    pub(super) fn breaks<'a>(&self, planned: &'a Planned) -> Vec<(f64, &'a Break)> {
        let (Some(low), Some(high)) = (self.factors.first(), self.factors.last()) else {
            return Vec::new();
        };
        let breaks = planned.plan.breaks.iter();
        let breaks = breaks.filter_map(|found| Some((found.accounts?, found)));
        breaks
            .filter(|(factor, _)| (*low..=*high).contains(factor))
            .collect()
    }
}
