//! In which rate-limit scopes the calls of a job type count.

use std::{fmt, str::FromStr, time::Duration};

use polling_model::{AccountId, JobType, ScopeKey, ServiceLevel, caps};
use serde::{Deserialize, Serialize};

use crate::ledger::{Cushion, Limit};

/// Most scopes that the rules of one job type name. A job may be bound to as many again, that its
/// worker reported.
pub const MAX_SCOPE_RULES: usize = 4;

/// A scope in which each call of a job type counts: `"app"`, or
/// `{ scope = "account:{account}", limit = { calls = 300, window = "15m" }, cushion = 20 }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct ScopeRule {
    /// Names the scope of each job.
    pub scope: ScopeTemplate,
    /// A limit that is kept although the channel may not report it. What it reports wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitRule>,
    /// What to leave to others of this scope's limits; the job type's cushion unless set. Those of
    /// levels and of single jobs go before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cushion: Option<Cushion>,
}

/// A limit as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitRule {
    /// Calls per window; at least 1.
    pub calls: u64,
    /// How long the window is, 1 s to 31 days. It begins at a multiple of its length.
    #[serde(with = "crate::duration")]
    pub window: Duration,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a scope such as \"account:{account}\", or { scope = …, limit = … }"
)]
enum Written {
    Name(ScopeTemplate),
    Rule(Rule),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    scope: ScopeTemplate,
    limit: Option<LimitRule>,
    cushion: Option<Cushion>,
}

impl From<Written> for ScopeRule {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(scope) => Self {
                scope,
                limit: None,
                cushion: None,
            },
            Written::Rule(Rule {
                scope,
                limit,
                cushion,
            }) => Self {
                scope,
                limit,
                cushion,
            },
        }
    }
}

impl From<LimitRule> for Limit {
    fn from(rule: LimitRule) -> Self {
        Self {
            calls: rule.calls,
            window_ms: rule.window.as_millis() as i64,
        }
    }
}

/// A scope's name, with `{account}`, `{job_type}` and `{level}` for those of the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeTemplate {
    text: String,
}

const FIELDS: [(&str, usize); 3] = [
    ("{account}", caps::MAX_ACCOUNT_LEN),
    ("{job_type}", caps::MAX_LABEL_LEN),
    ("{level}", caps::MAX_LABEL_LEN),
];

impl ScopeTemplate {
    /// The template as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scope of all jobs of a type and level together; `None` if each account has its own.
    #[must_use]
    pub fn shared(&self, job_type: &JobType, level: &ServiceLevel) -> Option<ScopeKey> {
        let anybody = AccountId::new("-").ok()?;
        let shared = !self.text.contains(FIELDS[0].0);
        shared.then(|| self.of(&anybody, job_type, level))
    }

    /// The scope of a job.
    #[must_use]
    pub fn of(&self, account: &AccountId, job_type: &JobType, level: &ServiceLevel) -> ScopeKey {
        let values = [account.as_str(), job_type.as_str(), level.as_str()];
        let mut key = self.text.clone();
        for ((field, _), value) in FIELDS.iter().zip(values) {
            if key.contains(field) {
                key = key.replace(field, value);
            }
        }
        ScopeKey::new(key).expect("a template's parts are checked, and the longest sum of them")
    }
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{template:?} names no scope: {why}")]
pub struct TemplateError {
    template: String,
    why: String,
}

impl FromStr for ScopeTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let error = |why: String| TemplateError {
            template: text.to_owned(),
            why,
        };
        // The longest values stand for all: what they make is a scope, then all make one.
        let mut longest = text.to_owned();
        for (field, length) in FIELDS {
            longest = longest.replace(field, &"x".repeat(length));
        }
        if longest.contains(['{', '}']) {
            return Err(error(
                "between braces only account, job_type and level can stand".to_owned(),
            ));
        }
        ScopeKey::new(longest).map_err(|found| error(found.to_string()))?;
        Ok(Self {
            text: text.to_owned(),
        })
    }
}

impl TryFrom<String> for ScopeTemplate {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        text.parse()
    }
}

impl From<ScopeTemplate> for String {
    fn from(template: ScopeTemplate) -> Self {
        template.text
    }
}

impl fmt::Display for ScopeTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_the_scope_of_each_job() {
        let of = |text: &str| {
            let template: ScopeTemplate = text.parse().unwrap();
            let scope = template.of(
                &"42".parse().unwrap(),
                &"posts".parse().unwrap(),
                &"gold".parse().unwrap(),
            );
            scope.to_string()
        };
        assert_eq!(of("app"), "app");
        assert_eq!(of("level:{level}"), "level:gold");
        assert_eq!(of("account:{account}"), "account:42");
        assert_eq!(of("{job_type}:{account}"), "posts:42");
    }

    #[test]
    fn what_is_no_template_says_why() {
        for (text, why) in [
            ("", "empty"),
            ("account:{user}", "only account, job_type and level"),
            ("account:{account", "only account, job_type and level"),
            ("two words", "allowed are"),
            ("{account}{account}", "at most 192"),
        ] {
            let error = text.parse::<ScopeTemplate>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_rule_is_a_name_or_a_table() {
        let rules: Vec<ScopeRule> = serde_json::from_str(
            r#"["app", {"scope": "account:{account}", "limit": {"calls": 300, "window": "15m"}, "cushion": "10%"}]"#,
        )
        .unwrap();
        assert_eq!(rules[0].limit, None);
        let limit = Limit::from(rules[1].limit.unwrap());
        assert_eq!((limit.calls, limit.window_ms), (300, 900_000));
        assert_eq!(rules[1].cushion, Some(Cushion::Share(0.1)));
        let again = serde_json::to_string(&rules).unwrap();
        assert_eq!(
            serde_json::from_str::<Vec<ScopeRule>>(&again).unwrap(),
            rules
        );
    }
}
