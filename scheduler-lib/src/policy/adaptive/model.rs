//! From what a job brought to what it will bring.

use std::time::Duration;

use super::{Activity, Evidence, MEMORIES, Terms, Worth};

/// How long the memories last, in days: 30 minutes, one day, seven days.
const HALF_LIVES: [f64; MEMORIES] = [1.0 / 48.0, 1.0, 7.0];

/// To start with, how many more items one item leads to, by memory.
const FOLLOWERS: [f64; MEMORIES] = [0.4, 0.2, 0.2];

/// To start with, items per day that follow from none.
const BACKGROUND: f64 = 0.25;

/// With as many followers as items, no job would ever calm down.
const MOST_FOLLOWERS: f64 = 0.95;

/// What there was to start with weighs as much as so many items, for the followers and the
/// background.
const PRIOR_ITEMS: (f64, f64) = (300.0, 20.0);

/// The rate of a job's items `s` minutes after a poll, per minute, where `E` are its [`Activity`]'s
/// counts and `b` = ln 2 / half-life:
///
/// ```text
/// rate(s) = c + Σ a_k b_k E_k exp(−b_k s)
/// ```
///
/// `a` and `c` are common to all jobs of a type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model {
    /// Items that one item leads to.
    followers: [f64; MEMORIES],
    /// Share that a memory loses per minute.
    decay: [f64; MEMORIES],
    /// Items per minute that follow from none.
    background: f64,
    day_minutes: f64,
}

impl Model {
    /// With nothing learned yet. A `day` is the period in which people come and go; anything but
    /// 24 hours is for traces that were compressed. At least a second.
    #[must_use]
    pub fn new(day: Duration) -> Self {
        let day_minutes = day.as_secs_f64().max(1.0) / 60.0;
        Self {
            followers: FOLLOWERS,
            decay: HALF_LIVES.map(|days| std::f64::consts::LN_2 / (days * day_minutes)),
            background: BACKGROUND / day_minutes,
            day_minutes,
        }
    }

    /// After all that was seen: one step of expectation maximisation, from what there was to start
    /// with. Meant to be done hourly.
    #[must_use]
    pub fn learned(&self, evidence: &Evidence) -> Self {
        let mut followers = [0.0; MEMORIES];
        let seen = evidence.items_by_memory();
        for (memory, followers) in followers.iter_mut().enumerate() {
            let prior = PRIOR_ITEMS.0;
            let explained = prior * FOLLOWERS[memory] + evidence.explained()[memory];
            *followers = explained / (prior + seen[memory]);
        }
        let scale = (MOST_FOLLOWERS / followers.iter().sum::<f64>()).min(1.0);
        let prior_minutes = PRIOR_ITEMS.1 * self.day_minutes / BACKGROUND;
        Self {
            followers: followers.map(|followers| followers * scale),
            background: (PRIOR_ITEMS.1 + evidence.unexplained())
                / (prior_minutes + evidence.watched_minutes()),
            ..*self
        }
    }

    /// What it is worth to poll a job, as time goes on.
    #[must_use]
    pub fn worth(&self, activity: &Activity, terms: Terms) -> Worth {
        Worth::new(*self, activity, terms)
    }

    /// What is left in each memory after `minutes`.
    pub(super) fn kept(&self, minutes: f64) -> [f64; MEMORIES] {
        self.decay.map(|decay| (-decay * minutes).exp())
    }

    /// The rate, and the items expected since the poll at which the memories held `counts`.
    pub(super) fn expected(&self, counts: &[f64; MEMORIES], minutes: f64) -> (f64, f64) {
        let (mut rate, mut items) = (self.background, self.background * minutes);
        let kept = self.kept(minutes);
        for memory in 0..MEMORIES {
            let followers = self.followers[memory] * counts[memory];
            rate += followers * self.decay[memory] * kept[memory];
            items += followers * (1.0 - kept[memory]);
        }
        (rate, items)
    }

    /// How much of the rate each memory, and the background, account for.
    pub(super) fn shares(&self, counts: &[f64; MEMORIES]) -> ([f64; MEMORIES], f64) {
        let (rate, _) = self.expected(counts, 0.0);
        let mut shares = [0.0; MEMORIES];
        for (memory, share) in shares.iter_mut().enumerate() {
            *share = self.followers[memory] * self.decay[memory] * counts[memory] / rate;
        }
        (shares, self.background / rate)
    }
}
