//! Jobs that wait, by the step in which they were due.

use std::collections::VecDeque;

/// Oldest first.
#[derive(Debug, Default, Clone)]
pub(super) struct Ages {
    counts: VecDeque<(usize, f64)>,
    all: f64,
}

impl Ages {
    pub(super) const fn all(&self) -> f64 {
        self.all
    }

    /// Adds jobs. Most are the youngest; the others find their place.
    pub(super) fn add(&mut self, due: usize, jobs: f64) {
        self.all += jobs;
        let at = self.counts.iter().rposition(|&(step, _)| step <= due);
        match at {
            Some(at) if self.counts[at].0 == due => self.counts[at].1 += jobs,
            Some(at) => self.counts.insert(at + 1, (due, jobs)),
            None => self.counts.push_front((due, jobs)),
        }
    }

    /// Takes the oldest.
    pub(super) fn take(&mut self, jobs: f64, mut each: impl FnMut(usize, f64)) {
        let mut left = jobs.min(self.all);
        self.all -= left;
        while left > 0.0 {
            let Some((due, count)) = self.counts.front_mut() else {
                return;
            };
            let taken = left.min(*count);
            each(*due, taken);
            *count -= taken;
            left -= taken;
            if *count <= 1e-9 {
                self.counts.pop_front();
            }
        }
        if self.counts.is_empty() {
            self.all = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_taken_first_wherever_they_came_from() {
        let mut ages = Ages::default();
        ages.add(5, 10.0);
        ages.add(7, 1.0);
        ages.add(6, 2.0);
        let mut taken = Vec::new();
        ages.take(12.5, |due, jobs| taken.push((due, jobs)));
        assert_eq!(taken, [(5, 10.0), (6, 2.0), (7, 0.5)]);
        assert!((ages.all() - 0.5).abs() < 1e-9);
    }
}
