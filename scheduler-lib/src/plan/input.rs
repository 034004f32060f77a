//! What a plan is made of.

use std::{collections::BTreeMap, time::Duration};

use polling_model::{JobType, ServiceLevel};

use super::Rates;
use crate::policy::{JobTypeRules, LimitRule, RuleError, ScopeTemplate};

/// Most jobs, and accounts, of one group.
pub const MAX_JOBS: u64 = 1_000_000_000;

/// Largest factor by which accounts are multiplied.
pub const MAX_FACTOR: f64 = 1e6;

/// What a [plan](super::plan) is made of.
#[derive(Debug, Clone)]
pub struct PlanInput {
    /// The rules of each job type, as the scheduler has them.
    pub rules: BTreeMap<JobType, JobTypeRules>,
    /// The jobs, by type and level.
    pub groups: Vec<JobGroup>,
    /// Limits that replace those of the rules. A scope that no rules name is one that workers
    /// report: every job counts in it.
    pub limits: Vec<PlannedLimit>,
    /// Which share of their limits other products take, 0 to 1, by scope.
    pub others: Vec<(ScopeTemplate, f64)>,
    /// How wide a slot is: no job is polled more often than once in it.
    pub slot_width: Duration,
    /// Multiplies the jobs and the accounts of each group: 1 for as many as there are, above 0 and
    /// at most [`MAX_FACTOR`].
    pub accounts: f64,
}

/// Jobs of one type and level.
#[derive(Debug, Clone)]
pub struct JobGroup {
    /// Their type; the rules must have it.
    pub job_type: JobType,
    /// Their level. One that the rules do not name has those of the job type.
    pub level: ServiceLevel,
    /// How many; at most [`MAX_JOBS`]. Of none the plan tells what a single one would get.
    pub jobs: u64,
    /// Whose they are: as many accounts as jobs, unless set. Accounts of one level have the same
    /// jobs each.
    pub accounts: Option<u64>,
    /// How many items they bring.
    pub rates: Rates,
}

/// A limit of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedLimit {
    /// As in the rules, `account:{account}`, or with its level or job type in it, `level:gold`.
    pub scope: ScopeTemplate,
    /// Calls per window. With 0 nobody is polled. Several limits of one scope hold all.
    pub limit: LimitRule,
}

impl PlanInput {
    /// Of rules, without jobs: with slots of a minute, and nobody else on the limits.
    #[must_use]
    pub const fn new(rules: BTreeMap<JobType, JobTypeRules>) -> Self {
        Self {
            rules,
            groups: Vec::new(),
            limits: Vec::new(),
            others: Vec::new(),
            slot_width: Duration::from_secs(60),
            accounts: 1.0,
        }
    }

    /// The same with jobs more.
    #[must_use]
    pub fn with(mut self, group: JobGroup) -> Self {
        self.groups.push(group);
        self
    }

    pub(super) fn check(&self) -> Result<(), PlanError> {
        for (job_type, rules) in &self.rules {
            rules.validate().map_err(|source| PlanError::Rules {
                job_type: job_type.clone(),
                source,
            })?;
        }
        for group in &self.groups {
            if !self.rules.contains_key(&group.job_type) {
                return Err(PlanError::UnknownJobType {
                    job_type: group.job_type.clone(),
                    known: self.rules.keys().cloned().collect(),
                });
            }
            let jobs = group.jobs.max(group.accounts.unwrap_or(0));
            if jobs > MAX_JOBS {
                return Err(PlanError::TooMany { found: jobs });
            }
        }
        for PlannedLimit { scope, limit } in &self.limits {
            let window_ms = limit.window.as_millis();
            if !(1_000..=31 * 86_400_000).contains(&window_ms) {
                let (scope, found) = (scope.clone(), limit.window);
                return Err(PlanError::Window { scope, found });
            }
        }
        for (scope, share) in &self.others {
            if !(0.0..=1.0).contains(share) {
                let (scope, found) = (scope.clone(), *share);
                return Err(PlanError::Share { scope, found });
            }
        }
        if !(self.accounts > 0.0 && self.accounts <= MAX_FACTOR) {
            let found = self.accounts;
            return Err(PlanError::Factor { found });
        }
        Ok(())
    }
}

/// What no plan can be made of.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The scheduler would not take these rules.
    #[error("the rules of job type {job_type} are wrong")]
    Rules {
        /// Whose.
        job_type: JobType,
        /// What is wrong.
        source: RuleError,
    },
    /// Jobs without rules.
    #[error("job type {job_type} has no rules: known are {}", names(known))]
    UnknownJobType {
        /// Of the jobs.
        job_type: JobType,
        /// What has rules.
        known: Vec<JobType>,
    },
    /// No rate can be used.
    #[error("{}: it needs 0 to {} items per day", match found {
        Some(rate) => format!("a rate of {rate} is none that a job can have"),
        None => "there are no rates".to_owned(),
    }, super::rates::MAX_RATE)]
    Rate {
        /// The last that was found.
        found: Option<f64>,
    },
    /// More jobs than anybody has.
    #[error("{found} jobs or accounts are more than a group may have: at most {MAX_JOBS}")]
    TooMany {
        /// How many.
        found: u64,
    },
    /// A window outside its bounds.
    #[error("the window of scope {scope} is {}: it needs 1s to 31d", crate::duration::text(*.found))]
    Window {
        /// Whose.
        scope: ScopeTemplate,
        /// How long.
        found: Duration,
    },
    /// A share that is none.
    #[error("other products take {found} of scope {scope}: a share needs 0 to 1")]
    Share {
        /// Whose.
        scope: ScopeTemplate,
        /// How much.
        found: f64,
    },
    /// A factor that is none.
    #[error(
        "accounts cannot be multiplied by {found}: it needs to be above 0, and at most {MAX_FACTOR}"
    )]
    Factor {
        /// By what.
        found: f64,
    },
}

fn names(known: &[JobType]) -> String {
    let names: Vec<_> = known.iter().map(JobType::as_str).collect();
    names.join(", ")
}
