//! Calls by slot, as bars.

use budget::Calls;
use plotters::prelude::*;

use super::Run;

/// Calls of each slot, with its beginning on the axis of time.
pub(super) struct Slots {
    width: f64,
    calls: Vec<(f64, Calls)>,
}

impl Slots {
    pub(super) fn new(run: &Run) -> Self {
        let width_ms = run.scenario.ring.width_ms();
        // Slots begin where they do in the scheduler, windows where they do in the channel.
        let begin_ms = |at_ms: i64| {
            let offset_ms = run.scenario.window_offset_ms();
            (at_ms + offset_ms).div_euclid(width_ms) * width_ms - offset_ms
        };
        let mut calls: Vec<(f64, Calls)> = Vec::new();
        for step in run.meter.steps() {
            let begins = run.in_units(begin_ms(step.at_ms));
            match calls.last_mut() {
                Some((at, sum)) if *at >= begins => sum.extend(&step.calls),
                _ => calls.push((begins, step.calls)),
            }
        }
        Self {
            width: run.in_units(width_ms),
            calls,
        }
    }

    /// The most of anything in one slot.
    pub(super) fn most(&self, count: impl Fn(&Calls) -> u64) -> f64 {
        let counts = self.calls.iter().map(|(_, calls)| count(calls));
        counts.max().unwrap_or(0) as f64
    }

    /// A bar for each slot, from the first number to the second.
    pub(super) fn bars(
        &self,
        color: RGBColor,
        span: impl Fn(&Calls) -> (f64, f64),
    ) -> impl Iterator<Item = Rectangle<(f64, f64)>> {
        let bar = move |(at, calls): &(f64, Calls)| {
            let (low, high) = span(calls);
            let (left, right) = (at + 0.1 * self.width, at + 0.9 * self.width);
            Rectangle::new([(left.max(0.0), low), (right, high)], color.filled())
        };
        self.calls.iter().map(bar)
    }
}
