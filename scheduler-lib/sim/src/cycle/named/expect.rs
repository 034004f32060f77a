//! What must come of a scenario.

use std::{fmt, time::Duration};

use crate::cycle::{campaign::Totals, faults::Fault, scenario::Scenario};

/// A number that a scenario came to, and its bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it counts, with its unit.
    pub what: &'static str,
    /// What was found.
    pub found: f64,
    /// What is expected.
    pub bound: Bound,
}

/// What is expected of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// This, to the last digit.
    Exactly(f64),
    /// No more.
    AtMost(f64),
    /// No less.
    AtLeast(f64),
}

impl Figure {
    const fn new(what: &'static str, found: f64, bound: Bound) -> Self {
        Self { what, found, bound }
    }

    /// Whether it is as expected.
    #[must_use]
    pub fn is_met(&self) -> bool {
        match self.bound {
            Bound::Exactly(needed) => self.found.to_bits() == needed.to_bits(),
            Bound::AtMost(most) => self.found <= most,
            Bound::AtLeast(least) => self.found >= least,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.found.fract() == 0.0 { 0 } else { 3 };
        let (sign, needed) = match self.bound {
            Bound::Exactly(needed) => ("=", needed),
            Bound::AtMost(most) => ("≤", most),
            Bound::AtLeast(least) => ("≥", least),
        };
        let failed = if self.is_met() { "" } else { "  FAILED" };
        write!(
            f,
            "{} {:.digits$} ({sign} {needed}){failed}",
            self.what, self.found
        )
    }
}

fn amplification(totals: &Totals, most: f64) -> Figure {
    let found = totals.measures.amplification();
    Figure::new("polls per due job", found, Bound::AtMost(most))
}

fn peak(totals: &Totals, scenario: &Scenario) -> Figure {
    // A second's worth may have gathered before the second begins.
    let most = 2 * u64::from(scenario.limits.dispatch_per_s) * scenario.schedulers;
    Figure::new(
        "dispatched within one second",
        totals.measures.dispatched_peak as f64,
        Bound::AtMost(most as f64),
    )
}

/// After an outage: each job that was due is polled once, in the time that the cap allows.
///
/// The bound on the time, and where it comes from: the cursor catches up in order, so nothing that
/// became due later is drained before; `overdue / dispatch_per_s` is the cap. On top come one
/// `tick` until the scheduler looks, and a worker's `poll_timeout` until the last poll must have
/// begun.
pub(super) fn caught_up(totals: &Totals, scenario: &Scenario) -> Vec<Figure> {
    let overdue = totals.measures.overdue;
    let outage = scenario.outage.map(|it| it.lasting).unwrap_or_default();
    let interval = scenario.levels.iter().map(|level| level.interval).max();
    let share = outage.as_secs_f64() / interval.unwrap_or_default().as_secs_f64();
    // Two choices of a slot are even within a few jobs in a hundred.
    let least = (0.9 * share.min(1.0) * scenario.jobs as f64).floor();
    let slack = scenario.limits.tick + scenario.worker().poll_timeout;
    let most_s =
        overdue.jobs as f64 / f64::from(scenario.limits.dispatch_per_s) + slack.as_secs_f64();
    vec![
        Figure::new(
            "jobs overdue",
            overdue.jobs as f64,
            Bound::AtLeast(least.max(1.0)),
        ),
        Figure::new(
            "catch-up polls",
            overdue.polls as f64,
            Bound::Exactly(overdue.jobs as f64),
        ),
        Figure::new(
            "caught up after, s",
            overdue.took_ms as f64 / 1_000.0,
            Bound::AtMost(most_s),
        ),
        peak(totals, scenario),
        amplification(totals, 1.01),
    ]
}

/// After the workers are back, each job is polled once by what is then on the queue, or after one
/// more lease, when the last message was too old: then the reaper places it anew, in the next slot.
pub(super) fn workers_back(totals: &Totals, scenario: &Scenario) -> Vec<Figure> {
    let overdue = totals.measures.overdue;
    let outage = scenario.outage.map(|it| it.lasting).unwrap_or_default();
    let interval = scenario.levels.iter().map(|level| level.interval).max();
    let drained_within = scenario.jobs / u64::from(scenario.limits.dispatch_per_s);
    let longest = interval.unwrap_or_default()
        + outage
        + outage / 3
        + scenario.limits.reap_grace
        + Duration::from_secs(60 + drained_within);
    vec![
        Figure::new(
            "polls of what waited",
            overdue.polls as f64,
            Bound::Exactly(overdue.jobs as f64),
        ),
        Figure::new(
            "longest time unpolled, s",
            totals.measures.longest_gap_ms as f64 / 1_000.0,
            Bound::AtMost(longest.as_secs_f64()),
        ),
        amplification(totals, 1.1),
        Figure::new(
            "dead letters",
            totals.measures.dead_letters as f64,
            Bound::Exactly(0.0),
        ),
    ]
}

/// No job is punished for the throttle before it, and each has its turn.
pub(super) fn throttled(totals: &Totals, _: &Scenario) -> Vec<Figure> {
    let measures = &totals.measures;
    vec![
        Figure::new(
            "dead letters",
            measures.dead_letters as f64,
            Bound::Exactly(0.0),
        ),
        Figure::new(
            "quarantined",
            measures.quarantined as f64,
            Bound::Exactly(0.0),
        ),
        Figure::new(
            "fewest polls of a job",
            measures.counted.fewest as f64,
            Bound::AtLeast(1.0),
        ),
        amplification(totals, 1.1),
    ]
}

/// So many polls of each job, neither more nor fewer.
pub(super) fn exact(totals: &Totals, scenario: &Scenario) -> Vec<Figure> {
    let counted = totals.measures.counted;
    let interval = scenario.levels.iter().map(|level| level.interval).max();
    let days = scenario.counted.end - scenario.counted.start;
    let needed = days.as_secs_f64() / interval.unwrap_or_default().as_secs_f64();
    let exactly = Bound::Exactly(needed);
    vec![
        Figure::new("fewest polls of a job", counted.fewest as f64, exactly),
        Figure::new("most polls of a job", counted.most as f64, exactly),
        peak(totals, scenario),
        Figure::new(
            "polls per due job",
            totals.measures.amplification(),
            Bound::Exactly(1.0),
        ),
    ]
}

/// Faults of one kind did happen; that nothing was lost, forked or mended is what every run checks.
pub(super) fn nothing_lost(totals: &Totals, scenario: &Scenario) -> Vec<Figure> {
    let happened = |fault: &&Fault| scenario.rates.of(**fault) > 0.0;
    let counts = Fault::ALL.iter().filter(happened).map(|fault| {
        let found = totals.faults.get(fault.as_str()).copied().unwrap_or(0);
        let least = Bound::AtLeast(totals.runs as f64);
        Figure::new(fault.as_str(), found as f64, least)
    });
    let cycles = totals.measures.cycles as f64;
    let least = Bound::AtLeast((totals.runs * scenario.jobs) as f64);
    counts
        .chain([Figure::new("cycles", cycles, least)])
        .collect()
}

/// A context too large for a completion leaves the old one, one too large for the queue holds the
/// job, and neither loses it.
pub(super) fn oversize(totals: &Totals, scenario: &Scenario) -> Vec<Figure> {
    let measures = &totals.measures;
    let mut figures = nothing_lost(totals, scenario);
    let least = Bound::AtLeast(1.0);
    figures.extend([
        Figure::new("contexts kept", measures.contexts_kept as f64, least),
        Figure::new("jobs held as refused", measures.refused as f64, least),
    ]);
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_beyond_its_bound_is_not_met_and_says_so() {
        for (bound, met) in [
            (Bound::Exactly(2.0), true),
            (Bound::Exactly(2.001), false),
            (Bound::AtMost(2.0), true),
            (Bound::AtMost(1.9), false),
            (Bound::AtLeast(2.0), true),
            (Bound::AtLeast(2.1), false),
        ] {
            let figure = Figure::new("polls", 2.0, bound);
            assert_eq!(figure.is_met(), met, "{figure}");
            assert_eq!(figure.to_string().contains("FAILED"), !met);
        }
    }
}
