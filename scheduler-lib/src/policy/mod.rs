//! When a job is polled next: a pure function of its rules and of how its last poll ended.

pub mod adaptive;
mod by_hand;
mod decide;
mod error_rule;
mod frequency;
mod limited;
mod postpone;
mod rule_error;
mod rules;
mod scopes;
mod spread;

pub use self::{
    by_hand::Override,
    decide::{Ended, Placement, Situation, decide},
    error_rule::{Backoff, ErrorRule},
    frequency::{Due, FixedIntervals, Frequency, Seen},
    limited::Limited,
    postpone::{Denied, postpone},
    rule_error::RuleError,
    rules::{Adaptive, JobTypeRules, LevelRules, MAX_INTERVAL, MAX_WEIGHT, MIN_INTERVAL},
    scopes::{LimitRule, MAX_SCOPE_RULES, ScopeRule, ScopeTemplate, TemplateError},
    spread::candidates,
};
pub(crate) use self::{
    frequency::SATURATED,
    rule_error::{check_cushion, check_duration},
};
