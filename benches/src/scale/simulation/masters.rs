//! Redis masters: who waits for which, and how much of a step each has left.

use super::{STEP_S, draws::Draws};
use crate::scale::Measured;

/// How much faster or slower than measured a master is, as a standard deviation.
const UNEVEN: f64 = 0.03;

/// All masters. Each runs one script after the other.
#[derive(Debug)]
pub(super) struct Masters {
    speeds: Vec<f64>,
    /// Jobs of each that can be drained in this step.
    pub(super) drains: Vec<f64>,
    /// Jobs of each that can be settled in this step.
    pub(super) settles: Vec<f64>,
    drain_us: f64,
    settle_us: f64,
    used_us: f64,
    had_us: f64,
}

impl Masters {
    pub(super) fn new(count: usize, measured: &Measured, draws: &mut Draws) -> Self {
        let drawn: Vec<f64> = (0..count).map(|_| 1.0 + UNEVEN * draws.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / count as f64;
        Self {
            speeds: drawn.iter().map(|speed| speed / mean).collect(),
            drains: vec![0.0; count],
            settles: vec![0.0; count],
            drain_us: measured.drain_us,
            settle_us: measured.load_us + measured.settle_us,
            used_us: 0.0,
            had_us: 0.0,
        }
    }

    /// Shares out a step's time of each: settlers are many and come first, drains have the rest.
    pub(super) fn begin(&mut self, done: &[f64], away: Option<usize>) {
        for (at, &speed) in self.speeds.iter().enumerate() {
            let has_us = if away == Some(at) {
                0.0
            } else {
                STEP_S * 1e6 * speed
            };
            self.had_us += STEP_S * 1e6 * speed;
            self.settles[at] = done[at].min(has_us / self.settle_us);
            self.drains[at] = (has_us - self.settles[at] * self.settle_us) / self.drain_us;
        }
    }

    pub(super) fn drained(&mut self, at: usize, jobs: f64) {
        self.drains[at] -= jobs;
        self.used_us += jobs * self.drain_us;
    }

    pub(super) fn settled(&mut self, jobs: f64) {
        self.used_us += jobs * self.settle_us;
    }

    pub(super) fn used(&self) -> f64 {
        self.used_us / self.had_us
    }
}
