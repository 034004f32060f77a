//! How late polls began.

use super::STEP_S;

/// Jobs by how many steps they were late.
#[derive(Debug, Default)]
pub(super) struct Lateness(Vec<f64>);

impl Lateness {
    pub(super) fn add(&mut self, steps: usize, jobs: f64) {
        if self.0.len() <= steps {
            self.0.resize(steps + 1, 0.0);
        }
        self.0[steps] += jobs;
    }

    pub(super) fn jobs(&self) -> f64 {
        self.0.iter().sum()
    }

    /// What so great a share did not exceed, seconds.
    pub(super) fn share_s(&self, share: f64) -> f64 {
        let mut left = self.jobs() * share;
        let at = self.0.iter().position(|jobs| {
            left -= jobs;
            left <= 0.0
        });
        at.unwrap_or(self.0.len()) as f64 * STEP_S
    }
}
