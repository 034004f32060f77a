//! Objectives: what is counted against them, and the rules that watch over them.
#![allow(clippy::unwrap_used)]

mod counts;
mod promtool;
mod rules;

use std::time::Duration;

use polling_ops::objectives::{Measure, Objective};

/// 99 % of gold's events within 5 min.
fn staleness() -> Objective {
    let level = "gold".parse().unwrap();
    objective(Measure::Staleness { level }, 300)
}

/// 99 % of jobs within 30 s.
fn lateness() -> Objective {
    objective(Measure::Lateness, 30)
}

fn objective(measure: Measure, within_s: u64) -> Objective {
    let channel = "mastodon".parse().unwrap();
    Objective::new(channel, measure, Duration::from_secs(within_s))
}
