//! The rules of a job type, as configured.

use std::{collections::BTreeMap, time::Duration};

use polling_model::{ErrorClass, ErrorCode, ScopeKey, ServiceLevel, caps};
use serde::{Deserialize, Serialize};

use super::{
    error_rule::{ErrorRule, default_rule},
    rule_error::{RuleError, check_cushion, check_duration, other, zero},
    scopes::{MAX_SCOPE_RULES, ScopeRule},
};
use crate::{
    ledger::{Claim, Cushion, Limit, MAX_COST},
    store::JobState,
};

/// Shortest interval between two polls of a job.
pub const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// Longest interval between two polls of a job, and longest backoff: 60 days.
pub const MAX_INTERVAL: Duration = Duration::from_secs(60 * 24 * 3600);

/// Highest weight of a service level.
pub const MAX_WEIGHT: f64 = 1000.0;

/// Longest window of a limit: 31 days.
const MAX_WINDOW: Duration = Duration::from_millis(caps::MAX_RESET_AHEAD_MS.unsigned_abs());

/// How often a job of one type is polled, in which limits its calls count, and what follows an
/// error.
///
/// Durations are written as `"90s"`, `"5m"`, `"1h 30m"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobTypeRules {
    /// Time between two polls, unless limits leave too few calls. With `adaptive` it is the
    /// shortest. Levels may have their own.
    #[serde(with = "crate::duration")]
    pub interval: Duration,
    /// Longest time between two polls, as far as limits and errors allow. It goes before what a
    /// poll is worth. Levels may have their own.
    #[serde(default, with = "crate::duration::option")]
    pub max_age: Option<Duration>,
    /// Polls each job when a call saves the most delay, instead of at a fixed interval.
    #[serde(default)]
    pub adaptive: Option<Adaptive>,
    /// Rules of single service levels.
    #[serde(default)]
    pub levels: BTreeMap<ServiceLevel, LevelRules>,
    /// In which rate-limit scopes each call counts, apart from those that workers report; at most
    /// [`MAX_SCOPE_RULES`].
    #[serde(default)]
    pub scopes: Vec<ScopeRule>,
    /// How much of a limit one call uses up, 1 to [`MAX_COST`].
    #[serde(default = "one")]
    pub cost: u32,
    /// What to leave to others of each limit, in calls or as a share of it: with less left in a
    /// window, a job waits for the next. Levels and jobs may have their own.
    #[serde(default)]
    pub cushion: Cushion,
    /// Dead letters without a completion between, after which a job is quarantined.
    #[serde(default = "default_max_strikes")]
    pub max_strikes: u32,
    /// What follows an error, by class; classes not named keep their default.
    #[serde(default)]
    pub errors: BTreeMap<ErrorClass, ErrorRule>,
    /// What follows an error of a code; stronger than its class.
    #[serde(default)]
    pub codes: BTreeMap<ErrorCode, ErrorRule>,
}

const fn default_max_strikes() -> u32 {
    3
}

const fn one() -> u32 {
    1
}

/// The rules of one service level. What is not set is as for the job type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LevelRules {
    /// Time between two polls.
    #[serde(with = "crate::duration::option")]
    pub interval: Option<Duration>,
    /// Longest time between two polls.
    #[serde(with = "crate::duration::option")]
    pub max_age: Option<Duration>,
    /// What a minute of delay counts beside that of other levels, when there are fewer calls than
    /// are wanted; 1 unless set. With 0, jobs are polled when calls are left over, or at their
    /// `max_age`.
    pub weight: f64,
    /// What to leave to others of each limit.
    pub cushion: Option<Cushion>,
}

impl Default for LevelRules {
    fn default() -> Self {
        Self {
            interval: None,
            max_age: None,
            weight: 1.0,
            cushion: None,
        }
    }
}

impl LevelRules {
    /// Rules with the given interval, and the job type's for the rest.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        Self {
            interval: Some(interval),
            ..Self::default()
        }
    }
}

/// What the adaptive policy goes by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adaptive {
    /// Items that one poll can bring; 20 unless set.
    pub page: u32,
    /// As how long a delay an item counts that is lost, since it was pushed off the page; 12 h
    /// unless set.
    #[serde(with = "crate::duration")]
    pub loss: Duration,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self {
            page: 20,
            loss: Duration::from_secs(12 * 3600),
        }
    }
}

impl JobTypeRules {
    /// Rules with the given interval, and defaults for the rest.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        Self {
            interval,
            max_age: None,
            adaptive: None,
            levels: BTreeMap::new(),
            scopes: Vec::new(),
            cost: 1,
            cushion: Cushion::NONE,
            max_strikes: default_max_strikes(),
            errors: BTreeMap::new(),
            codes: BTreeMap::new(),
        }
    }

    /// The interval of a service level, milliseconds.
    #[must_use]
    pub fn interval_ms(&self, level: &ServiceLevel) -> i64 {
        let own = self.levels.get(level).and_then(|rules| rules.interval);
        own.unwrap_or(self.interval).as_millis() as i64
    }

    /// The longest time between two polls of a service level, milliseconds.
    #[must_use]
    pub fn max_age_ms(&self, level: &ServiceLevel) -> Option<i64> {
        let own = self.levels.get(level).and_then(|rules| rules.max_age);
        let max_age = own.or(self.max_age)?;
        Some(max_age.as_millis() as i64)
    }

    /// What a minute of delay counts for a service level.
    #[must_use]
    pub fn weight(&self, level: &ServiceLevel) -> f64 {
        self.levels.get(level).map_or(1.0, |rules| rules.weight)
    }

    /// What a job leaves to others: its own cushion, its level's, the scope's if it counts in one of
    /// these rules, or its type's.
    fn cushion_of(&self, job: &JobState, scope: Option<&ScopeRule>) -> Cushion {
        let of_level = || self.levels.get(&job.level).and_then(|rules| rules.cushion);
        let of_scope = || scope.and_then(|rule| rule.cushion);
        let own = job.cushion.or_else(of_level).or_else(of_scope);
        own.unwrap_or(self.cushion)
    }

    /// The scopes of these rules in which the calls of a job count.
    pub(crate) fn scopes_of(&self, job: &JobState) -> impl Iterator<Item = ScopeKey> {
        let of = |rule: &ScopeRule| rule.scope.of(&job.account, &job.job_type, &job.level);
        self.scopes.iter().map(of)
    }

    /// In which scopes the calls of a job count, and what is to be left of them: those of these
    /// rules, then those that its worker reported.
    #[must_use]
    pub fn claims(&self, job: &JobState) -> Vec<Claim> {
        let claim = |scope, rule: Option<&ScopeRule>| Claim {
            scope,
            cushion: self.cushion_of(job, rule),
            limit: rule.and_then(|rule| rule.limit).map(Limit::from),
        };
        let mut claims: Vec<Claim> = Vec::with_capacity(self.scopes.len() + job.scopes.len());
        for (rule, scope) in self.scopes.iter().zip(self.scopes_of(job)) {
            claims.push(claim(scope, Some(rule)));
        }
        for scope in &job.scopes {
            if claims.iter().all(|claim| claim.scope != *scope) {
                claims.push(claim(scope.clone(), None));
            }
        }
        claims
    }

    /// The rule for an error: its code's, else its class's, else the default of the class.
    #[must_use]
    pub fn error_rule(&self, class: ErrorClass, code: Option<&ErrorCode>) -> ErrorRule {
        let by_code = code.and_then(|code| self.codes.get(code));
        by_code
            .or_else(|| self.errors.get(&class))
            .copied()
            .unwrap_or_else(|| default_rule(class))
    }

    /// What is allowed and hardly wanted: limits that a cushion leaves nothing of.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let of_levels: Vec<_> = self.levels.values().filter_map(|of| of.cushion).collect();
        let limits = self
            .scopes
            .iter()
            .filter_map(|rule| Some((rule, rule.limit?.calls)));
        let spent = limits.filter_map(|(rule, calls)| {
            let of_scope = rule.cushion.unwrap_or(self.cushion);
            let mut cushions = of_levels.iter().copied().chain([of_scope]);
            let cushion = cushions.find(|cushion| cushion.calls_of(calls) >= calls)?;
            Some(format!(
                "scope {} allows {calls} calls, and with a cushion of {cushion} none is ever left",
                rule.scope
            ))
        });
        spent.collect()
    }

    /// Checks every bound.
    ///
    /// # Errors
    ///
    /// [`RuleError`] that names the first field outside its bounds.
    pub fn validate(&self) -> Result<(), RuleError> {
        check_duration("interval", self.interval, MIN_INTERVAL, MAX_INTERVAL)?;
        if let Some(max_age) = self.max_age {
            check_duration("max_age", max_age, self.interval, MAX_INTERVAL)?;
        }
        for (level, rules) in &self.levels {
            self.validate_level(&format!("levels.{level}"), level, rules)?;
        }
        self.validate_scopes()?;
        if let Some(adaptive) = self.adaptive {
            check_duration("adaptive.loss", adaptive.loss, Duration::ZERO, MAX_INTERVAL)?;
            if adaptive.page == 0 {
                return Err(zero("adaptive.page"));
            }
        }
        if self.max_strikes == 0 {
            return Err(zero("max_strikes"));
        }
        let classes = self
            .errors
            .iter()
            .map(|(class, rule)| (format!("errors.{class}"), rule));
        let codes = self
            .codes
            .iter()
            .map(|(code, rule)| (format!("codes.{code}"), rule));
        for (field, rule) in classes.chain(codes) {
            let ErrorRule::Backoff(backoff) = rule else {
                continue;
            };
            check_duration(
                &format!("{field}.backoff.base"),
                backoff.base,
                Duration::from_millis(1),
                backoff.max,
            )?;
            check_duration(
                &format!("{field}.backoff.max"),
                backoff.max,
                backoff.base,
                MAX_INTERVAL,
            )?;
        }
        Ok(())
    }
}

impl JobTypeRules {
    fn validate_level(
        &self,
        field: &str,
        level: &ServiceLevel,
        rules: &LevelRules,
    ) -> Result<(), RuleError> {
        let interval = rules.interval.unwrap_or(self.interval);
        check_duration(
            &format!("{field}.interval"),
            interval,
            MIN_INTERVAL,
            MAX_INTERVAL,
        )?;
        let max_age = rules.max_age.or(self.max_age);
        if let Some(max_age) = max_age {
            check_duration(&format!("{field}.max_age"), max_age, interval, MAX_INTERVAL)?;
        }
        check_cushion(
            &format!("{field}.cushion"),
            rules.cushion.unwrap_or_default(),
        )?;
        let field = format!("{field}.weight");
        if !(0.0..=MAX_WEIGHT).contains(&rules.weight) {
            let needs = format!("it needs 0 to {MAX_WEIGHT}");
            return Err(other(field, &rules.weight, needs));
        }
        if rules.weight == 0.0 && max_age.is_none() {
            let needs = format!("without a max_age, jobs of level {level} might never be polled");
            return Err(other(field, &rules.weight, needs));
        }
        Ok(())
    }

    fn validate_scopes(&self) -> Result<(), RuleError> {
        if self.scopes.len() > MAX_SCOPE_RULES {
            let needs = format!("at most {MAX_SCOPE_RULES} are allowed");
            let found = format!("a list of {}", self.scopes.len());
            return Err(other("scopes".to_owned(), &found, needs));
        }
        for (at, rule) in self.scopes.iter().enumerate() {
            let field = format!("scopes.{}", rule.scope);
            check_cushion(
                &format!("{field}.cushion"),
                rule.cushion.unwrap_or_default(),
            )?;
            if self.scopes[..at].iter().any(|one| one.scope == rule.scope) {
                return Err(other(field, &"there twice", "once is enough".to_owned()));
            }
            let Some(limit) = rule.limit else { continue };
            let field = format!("{field}.limit");
            check_duration(
                &format!("{field}.window"),
                limit.window,
                MIN_INTERVAL,
                MAX_WINDOW,
            )?;
            if limit.calls == 0 {
                return Err(zero(&format!("{field}.calls")));
            }
        }
        if !(1..=MAX_COST).contains(&self.cost) {
            let needs = format!("it needs 1 to {MAX_COST}");
            return Err(other("cost".to_owned(), &self.cost, needs));
        }
        check_cushion("cushion", self.cushion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_stronger_than_its_class() {
        let mut rules = JobTypeRules::every(Duration::from_secs(60));
        let code = ErrorCode::new("suspended").unwrap();
        rules.codes.insert(code.clone(), ErrorRule::Remove);
        rules.errors.insert(ErrorClass::Invalid, ErrorRule::Pause);
        assert_eq!(
            rules.error_rule(ErrorClass::Invalid, Some(&code)),
            ErrorRule::Remove
        );
        assert_eq!(
            rules.error_rule(ErrorClass::Invalid, None),
            ErrorRule::Pause
        );
        assert_eq!(rules.error_rule(ErrorClass::Gone, None), ErrorRule::Park);
    }

    #[test]
    fn bad_rules_name_the_field_and_its_bounds() {
        let rules = JobTypeRules::every(Duration::ZERO);
        assert_eq!(
            rules.validate().unwrap_err().to_string(),
            "interval is 0s: it needs 1s to 60d"
        );
        let mut rules = JobTypeRules::every(Duration::from_secs(60));
        let gold = LevelRules::every(Duration::from_secs(61 * 24 * 3600));
        rules
            .levels
            .insert(ServiceLevel::new("gold").unwrap(), gold);
        assert!(
            rules
                .validate()
                .unwrap_err()
                .to_string()
                .starts_with("levels.gold.interval is ")
        );
        rules.levels.clear();
        rules.scopes =
            serde_json::from_str(r#"[{"scope": "app", "limit": {"calls": 300, "window": "15m"}}]"#)
                .unwrap();
        for (cushion, fits) in [
            ("299", true),
            ("300", false),
            ("99%", true),
            ("100%", false),
        ] {
            rules.cushion = cushion.parse().unwrap();
            assert_eq!(rules.doubts().is_empty(), fits, "{cushion}");
        }
        assert_eq!(
            rules.doubts(),
            ["scope app allows 300 calls, and with a cushion of 100% none is ever left"]
        );
        rules.cushion = Cushion::NONE;
        let unpolled = LevelRules {
            weight: 0.0,
            ..LevelRules::default()
        };
        rules
            .levels
            .insert(ServiceLevel::new("free").unwrap(), unpolled);
        assert_eq!(
            rules.validate().unwrap_err().to_string(),
            "levels.free.weight is 0: without a max_age, jobs of level free might never be polled"
        );
        rules.levels.clear();
        rules.max_strikes = 0;
        assert_eq!(
            rules.validate().unwrap_err().to_string(),
            "max_strikes is 0: it needs at least 1"
        );
    }
}
