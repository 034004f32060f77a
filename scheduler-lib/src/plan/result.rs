//! What a plan tells.

use std::time::Duration;

use polling_model::{JobType, ServiceLevel};
use serde::Serialize;

/// What each level gets, what each limit is used for, and what breaks first. JSON has `null` where
/// a number is without end.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// By group of the input, in its order.
    pub levels: Vec<LevelPlan>,
    /// By scope, in the order of their names.
    pub scopes: Vec<ScopePlan>,
    /// What stops to hold as accounts are added or limits are cut: what breaks first with more
    /// accounts is first.
    pub breaks: Vec<Break>,
    /// What does not hold as it is, in words.
    pub alarms: Vec<String>,
    /// What the plan took for granted, in words.
    pub notes: Vec<String>,
}

/// What the jobs of one type and level get. Each figure is of one job, on average.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LevelPlan {
    /// Their type.
    pub job_type: JobType,
    /// Their level.
    pub level: ServiceLevel,
    /// How many.
    pub jobs: u64,
    /// What a minute of their delay counts.
    pub weight: f64,
    /// Whether they are polled when a call saves the most delay, instead of at intervals.
    pub adaptive: bool,
    /// As the rules have it, minutes; not shorter than a slot.
    pub interval_minutes: f64,
    /// As the rules have it, minutes.
    pub max_age_minutes: Option<f64>,
    /// Items that it brings per day.
    pub items_per_day: f64,
    /// Polls per day.
    pub polls_per_day: f64,
    /// A day divided by them, minutes; without end if there are none.
    pub mean_interval_minutes: f64,
    /// From an item's creation to its poll, minutes, the mean over items; over jobs, if there are no
    /// items.
    pub staleness_minutes: f64,
    /// Share of the jobs that only their `max_age` keeps from being polled more rarely, 0 to 1.
    pub held_by_max_age: f64,
    /// Share of the polls promised by `max_age` that fits the limits, 0 to 1.
    pub promise_kept: Option<f64>,
    /// Share of the items that is pushed off the page unseen, 0 to 1; 0 under fixed intervals, whose
    /// rules know of no page.
    pub lost: f64,
}

/// How a scope is used. Of accounts that are alike it is one account's: of those that use it most.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ScopePlan {
    /// Its name, `{account}` aside.
    pub scope: String,
    /// Whose accounts, if each has a scope of its own.
    pub level: Option<ServiceLevel>,
    /// How many such scopes there are; 1 if it is no account's.
    pub copies: u64,
    /// Each limit, the shortest window first. Without one it holds nobody back.
    pub windows: Vec<WindowPlan>,
    /// What a call has to save, minutes of delay; 0 while all that is wanted fits, without end where
    /// promises leave no call to others.
    pub price_minutes: f64,
    /// Calls per day that are wanted: by intervals, and by jobs that are adaptive at their shortest.
    pub wanted_per_day: f64,
    /// Calls per day that are made.
    pub used_per_day: f64,
    /// Calls per day that `max_age` promises.
    pub promised_per_day: f64,
}

/// How one limit is used; calls per window, weighed by what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WindowPlan {
    /// The limit.
    pub limit: u64,
    /// How long a window is.
    #[serde(with = "crate::duration")]
    pub window: Duration,
    /// What other products take.
    pub others: f64,
    /// The largest cushion of its jobs.
    pub cushion: f64,
    /// What is left above it.
    pub available: f64,
    /// What is wanted.
    pub wanted: f64,
    /// What `max_age` promises.
    pub promised: f64,
    /// What is made.
    pub used: f64,
    /// The same as a share of what is available, 0 to 1; 1 if nothing is.
    pub use_share: f64,
}

/// Something that stops to hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Break {
    /// What.
    pub what: Breaking,
    /// The scope whose limit it breaks at.
    pub scope: String,
    /// Whose accounts, if each has a scope of its own.
    pub level: Option<ServiceLevel>,
    /// The first that it meets: type and level.
    pub first: (JobType, ServiceLevel),
    /// It holds up to so many times the accounts of the input's groups. `None` if accounts make no
    /// difference, since each has a limit of its own.
    pub accounts: Option<f64>,
    /// The limit as it is, calls per window.
    pub limit: u64,
    /// How long a window is.
    #[serde(with = "crate::duration")]
    pub window: Duration,
    /// It holds down to this limit, calls per window; above the limit it does not hold as it is.
    /// Without end if no limit would do, since others take all of it.
    pub least_limit: f64,
}

/// What stops to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Breaking {
    /// Intervals are as the rules have them. Where all jobs are adaptive, theirs are to stretch.
    Intervals,
    /// Nobody waits for longer than `max_age`.
    Promises,
}

impl Break {
    /// The least limit in whole calls.
    #[must_use]
    pub fn least_calls(&self) -> f64 {
        // What was computed is not exact: a hair above a whole number is that number.
        (self.least_limit * (1.0 - 1e-9)).ceil()
    }

    /// Whether it holds as it is.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.least_calls() <= self.limit as f64
    }
}
