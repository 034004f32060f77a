//! What has to be done by when, and the workers that it takes.

use super::{Sample, ScalingRules, curve::Curve, fleet::Fleet, state::ScalingState};

/// The share of the objective that is aimed at. The rest is for what nobody foresees, and for the time between two looks.
pub(super) const AIM: f64 = 0.75;

/// So many points of time within the aim are looked at.
const POINTS: f64 = 8.0;

/// Jobs with the times at which they come and are due, seconds from the sample on.
#[derive(Debug)]
pub(super) struct Demand {
    waiting: f64,
    age_s: f64,
    aim_s: f64,
    coming: Curve,
    /// Jobs a second that a worker is meant to do.
    rate_per_s: f64,
    start_s: f64,
    turn_s: f64,
}

/// Workers needed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Need {
    /// So many, once those asked for at the sample have started; with which jobs decide.
    pub(super) soon: (f64, Cause),
    /// So many are worth keeping.
    pub(super) keep: f64,
}

/// Why so many are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// What waits.
    Waiting,
    /// What comes.
    Coming,
    /// As many come as are done.
    Steady,
}

impl Demand {
    pub(super) fn new(rules: &ScalingRules, state: &ScalingState, sample: &Sample) -> Self {
        let rates = state.rates();
        let aim_s = rules.objective.as_secs_f64() * AIM;
        let waiting = sample.waiting as f64;
        let age_s = match sample.oldest_age_ms {
            Some(age_ms) => age_ms.max(0) as f64 / 1000.0,
            // Little's law; no older than what is due at once.
            None => (waiting / rates.arrivals_per_s.max(f64::MIN_POSITIVE)).min(aim_s),
        };
        let coming = match Curve::foreseen(sample) {
            Some(foreseen) => foreseen.and(rates.unforeseen_per_s),
            None => Curve::even(rates.arrivals_per_s),
        };
        Self {
            waiting,
            age_s,
            aim_s,
            coming,
            rate_per_s: rates.worker_per_s.unwrap_or(rules.rate_per_s) * rules.utilisation,
            start_s: rules.start.as_secs_f64(),
            turn_s: state.turn_s(),
        }
    }

    /// The workers that hold every deadline, given those that there are.
    pub(super) fn need(&self, fleet: &Fleet, now_ms: i64) -> Need {
        let steady = self.steady();
        let mut need = Need {
            soon: (steady, Cause::Steady),
            keep: steady,
        };
        let step_s = self.aim_s / POINTS;
        // A worker that is needed again within its start-up is worth keeping.
        let keep_s = self.lead_s() + self.start_s;
        for from_s in grid(0.0, keep_s, step_s) {
            for by_s in grid(from_s + step_s, keep_s + 2.0 * self.aim_s, step_s) {
                let jobs = self.due(from_s, by_s);
                need.keep = need.keep.max(jobs / (self.rate_per_s * (by_s - from_s)));
                let soon = self.with_more(fleet, now_ms, jobs, (from_s, by_s));
                if let Some(soon) = soon.filter(|soon| *soon > need.soon.0) {
                    let waits = from_s == 0.0 && self.backlog_due(by_s) * 2.0 > jobs;
                    let cause = if waits { Cause::Waiting } else { Cause::Coming };
                    need.soon = (soon, cause);
                }
            }
        }
        need
    }

    /// All workers, with those to be asked for, so that `jobs` are done within a window. `None` where those that there are
    /// do it, where new ones come too late, and where they can be asked for later.
    fn with_more(&self, fleet: &Fleet, now_ms: i64, jobs: f64, window: (f64, f64)) -> Option<f64> {
        let (from_s, by_s) = window;
        let left_s = by_s - from_s.max(self.start_s);
        if from_s > self.lead_s() || left_s < self.aim_s / POINTS {
            return None;
        }
        let done = self.rate_per_s * fleet.worker_s(now_ms, from_s, by_s);
        let more = (jobs - done) / (self.rate_per_s * left_s);
        (more > 0.0).then(|| f64::from(fleet.total()) + more)
    }

    /// Until a worker that is asked for at the next sample takes jobs.
    fn lead_s(&self) -> f64 {
        self.start_s + self.turn_s
    }

    /// Little's law, over all that is foreseen: part of it would depend on where in a slot the sample was taken.
    fn steady(&self) -> f64 {
        self.coming.mean_per_s() / self.rate_per_s
    }

    /// What comes after `from_s` and is due by `by_s`; what waits too, if the window begins at once.
    fn due(&self, from_s: f64, by_s: f64) -> f64 {
        let coming = self.coming.by(by_s - self.aim_s) - self.coming.by(from_s);
        if from_s > 0.0 {
            return coming.max(0.0);
        }
        coming.max(0.0) + self.backlog_due(by_s)
    }

    /// What waits and is due by `by_s`: it came evenly since the oldest came.
    fn backlog_due(&self, by_s: f64) -> f64 {
        let first_s = self.aim_s - self.age_s;
        if by_s >= self.aim_s {
            self.waiting
        } else if by_s <= first_s {
            0.0
        } else {
            self.waiting * ((by_s - first_s) / self.age_s).min(1.0)
        }
    }
}

fn grid(from: f64, to: f64, step: f64) -> impl Iterator<Item = f64> {
    // A hair more, so that what should be the last point is one.
    let points = ((to - from) / step + 1e-9).max(0.0) as u32;
    (0..=points).map(move |point| from + f64::from(point) * step)
}
