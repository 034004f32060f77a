//! When a job is polled next: a pure function of its rules and of how its last poll ended.

pub mod adaptive;
mod decide;
mod rules;
mod spread;

pub use self::{
    decide::{Ended, Placement, Situation, decide},
    rules::{Backoff, ErrorRule, JobTypeRules, LevelRules, MAX_INTERVAL, MIN_INTERVAL, RuleError},
    spread::{candidates, phase},
};
pub(crate) use self::{rules::check_duration, spread::lot};
