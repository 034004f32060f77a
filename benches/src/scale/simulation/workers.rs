//! Workers: permits, cores, and polls under way.

use std::collections::VecDeque;

use super::{STEP_S, ages::Ages, polls};
use crate::scale::{Demand, Measured, Plan};

/// All workers.
#[derive(Debug)]
pub(super) struct Workers {
    permits: f64,
    /// Jobs a step that their cores can do.
    most: f64,
    times: Vec<f64>,
    /// Polls that end in the next steps.
    ends: VecDeque<f64>,
    busy: f64,
    begun: f64,
    busy_steps: f64,
    steps: f64,
}

impl Workers {
    pub(super) fn new(plan: &Plan, demand: &Demand, measured: &Measured) -> Self {
        let times = polls::times(demand);
        Self {
            permits: plan.permits,
            most: plan.worker_cores * STEP_S * 1e6 / measured.worker_us(demand.transport),
            ends: vec![0.0; times.len()].into(),
            times,
            busy: 0.0,
            begun: 0.0,
            busy_steps: 0.0,
            steps: 0.0,
        }
    }

    /// Begins as many polls as there is room for; returns how many ended.
    pub(super) fn step(&mut self, queue: &mut Ages, each: impl FnMut(usize, f64)) -> f64 {
        let ended = self.ends.pop_front().unwrap_or(0.0);
        self.ends.push_back(0.0);
        self.busy -= ended;
        let begun = queue
            .all()
            .min(self.permits - self.busy)
            .min(self.most)
            .max(0.0);
        queue.take(begun, each);
        for (end, part) in self.ends.iter_mut().zip(&self.times) {
            *end += begun * part;
        }
        self.busy += begun;
        self.begun += begun;
        self.busy_steps += self.busy;
        self.steps += 1.0;
        ended
    }

    pub(super) fn cores_used(&self) -> f64 {
        self.begun / (self.most * self.steps)
    }

    pub(super) fn permits_used(&self) -> f64 {
        self.busy_steps / (self.permits * self.steps)
    }
}
