//! What a model learns from.

use super::{Activity, MEMORIES, Model, minutes};

/// What many polls showed, of any number of jobs. Evidence of several schedulers adds up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence {
    items: f64,
    /// Items that followed others, by the memory that explains them.
    explained: [f64; MEMORIES],
    /// Items that followed from none.
    unexplained: f64,
    /// What the memories of all jobs hold together, at `at_ms`.
    held: [f64; MEMORIES],
    at_ms: i64,
    /// Between two polls, over all jobs.
    watched_minutes: f64,
}

impl Evidence {
    /// Adds what a poll at `now_ms` brought to a job that had been `before`: each item is split
    /// among its possible causes.
    pub fn add(&mut self, before: &Activity, now_ms: i64, created_ms: &[i64], model: &Model) {
        let since_poll = minutes(before.polled_ms(), now_ms);
        self.watched_minutes += since_poll;
        self.move_on(now_ms, model);
        let (mut counts, mut age) = (before.counts(), since_poll);
        for &at_ms in created_ms {
            // Items are told oldest first; one that is not is taken to be as old as the one before.
            let its_age = before.age(at_ms, now_ms).min(age);
            fade(&mut counts, &model.kept(age - its_age));
            let (shares, unexplained) = model.shares(&counts);
            let kept = model.kept(its_age);
            for memory in 0..MEMORIES {
                self.explained[memory] += shares[memory];
                self.held[memory] += kept[memory];
                counts[memory] += 1.0;
            }
            self.unexplained += unexplained;
            age = its_age;
        }
        self.items += created_ms.len() as f64;
    }

    /// Items that each memory was given the time to explain: all but what it still holds.
    pub(super) fn items_by_memory(&self) -> [f64; MEMORIES] {
        self.held.map(|held| (self.items - held).max(0.0))
    }

    pub(super) const fn explained(&self) -> &[f64; MEMORIES] {
        &self.explained
    }

    pub(super) const fn unexplained(&self) -> f64 {
        self.unexplained
    }

    pub(super) const fn watched_minutes(&self) -> f64 {
        self.watched_minutes
    }

    fn move_on(&mut self, now_ms: i64, model: &Model) {
        fade(&mut self.held, &model.kept(minutes(self.at_ms, now_ms)));
        self.at_ms = self.at_ms.max(now_ms);
    }
}

fn fade(counts: &mut [f64; MEMORIES], kept: &[f64; MEMORIES]) {
    for (count, kept) in counts.iter_mut().zip(kept) {
        *count *= kept;
    }
}
