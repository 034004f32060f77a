//! The adaptive policy as the cycle uses it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Activity, EARLY, Evidence, Model, Terms, Worth};
use crate::policy::{
    Adaptive, Due, Frequency, Seen,
    frequency::{of_minutes, text},
};

/// Time between two lessons, in milliseconds: an hour.
const LESSON_MS: i64 = 3_600_000;

/// A job is looked at again at the latest so long after its poll, in milliseconds: an hour. Later
/// as it goes on waiting.
const LOOK_MS: i64 = 3_600_000;

/// A day, the period in which people come and go.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Polls each job of a type when a call saves the most delay.
///
/// A job's interval is the shortest time between two polls, its `max_age` the longest. What it
/// learns from all jobs of the type lasts as long as the process; several schedulers learn each
/// from the completions that they settle, a fair sample of all.
#[derive(Debug)]
pub struct AdaptiveFrequency {
    rules: Adaptive,
    learned: Mutex<Learned>,
}

#[derive(Debug)]
struct Learned {
    model: Model,
    evidence: Evidence,
    /// When the model was last made; 0 before the first poll.
    at_ms: i64,
}

impl AdaptiveFrequency {
    /// One that has learned nothing yet.
    #[must_use]
    pub fn new(rules: Adaptive) -> Self {
        Self {
            rules,
            learned: Mutex::new(Learned {
                model: Model::new(DAY),
                evidence: Evidence::default(),
                at_ms: 0,
            }),
        }
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        // Every step leaves it whole.
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn worth_of(&self, job: &Seen<'_>) -> Worth {
        let activity = job
            .activity
            .unwrap_or_else(|| Activity::since(job.polled_ms));
        let terms = Terms {
            weight: job.weight,
            page: self.rules.page,
            loss_minutes: self.rules.loss.as_secs_f64() / 60.0,
        };
        self.learned().model.worth(&activity, terms)
    }
}

impl Frequency for AdaptiveFrequency {
    fn worth(&self, job: &Seen<'_>, now_ms: i64) -> f64 {
        let promised = job.promised(now_ms);
        promised.unwrap_or_else(|| self.worth_of(job).at(now_ms).max(job.burst_worth()))
    }

    fn worthwhile_ms(&self, job: &Seen<'_>, worth: f64) -> i64 {
        self.worth_of(job).due_ms(worth)
    }

    fn due(&self, job: &Seen<'_>, price: f64, now_ms: i64) -> Due {
        let worth = self.worth_of(job);
        let earliest_ms = job.polled_ms.saturating_add(job.interval_ms).max(now_ms);
        let worthwhile_ms = worth.due_ms(price * EARLY);
        let look_ms = LOOK_MS.max(2 * job.interval_ms);
        let at_ms = job
            .look_again(worthwhile_ms, look_ms, now_ms)
            .max(earliest_ms);
        let price = if price > 0.0 {
            format!("a poll has to save {} of delay", of_minutes(price * EARLY))
        } else {
            format!(
                "calls are left over: its shortest interval of {}",
                text(job.interval_ms)
            )
        };
        job.by_its_age(Due {
            at_ms,
            reason: format!(
                "adaptive: {:.2} items expected in {}, weight {}; {price}",
                worth.items(at_ms),
                text(at_ms.saturating_sub(job.polled_ms)),
                job.weight,
            ),
        })
    }

    fn polled(&self, job: &Seen<'_>, now_ms: i64, created_ms: &[i64]) -> Option<Activity> {
        let mut learned = self.learned();
        let Learned {
            model, evidence, ..
        } = &mut *learned;
        let Some(before) = job.activity else {
            return Some(Activity::first_page(now_ms, created_ms, model));
        };
        evidence.add(&before, now_ms, created_ms, model);
        let after = before.polled(now_ms, created_ms, model);
        if learned.at_ms == 0 {
            learned.at_ms = now_ms;
        } else if now_ms.saturating_sub(learned.at_ms) >= LESSON_MS {
            learned.model = learned.model.learned(&learned.evidence);
            learned.at_ms = now_ms;
        }
        Some(after)
    }
}
