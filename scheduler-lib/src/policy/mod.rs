//! When a job is polled next: a pure function of its rules and of how its last poll ended.

mod decide;
mod rules;
mod spread;

pub use self::{
    decide::{Ended, Placement, Situation, decide},
    rules::{Backoff, ErrorRule, JobTypeRules, LevelRules, RuleError},
    spread::{candidates, phase},
};
