//! What the command line says about jobs, rates and limits.

use std::str::FromStr;

use polling_model::{JobType, ServiceLevel};
use scheduler_lib::{
    duration,
    ledger::Cushion,
    plan::{MAX_FACTOR, MAX_RATE, PlannedLimit},
    policy::{LimitRule, ScopeTemplate},
};
use serde::de::value::{Error, StrDeserializer};

/// `posts.gold=1000:500`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Jobs {
    pub(super) job_type: JobType,
    /// The channel's default unless told.
    pub(super) level: Option<ServiceLevel>,
    pub(super) jobs: u64,
    /// As many as jobs unless told.
    pub(super) accounts: Option<u64>,
}

impl FromStr for Jobs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (of, number) = text
            .rsplit_once('=')
            .ok_or("it needs a number, as in posts=1000 or posts.gold=1000")?;
        let (job_type, level) = job_type(of)?;
        let (jobs, accounts) = match number.split_once(':') {
            Some((jobs, accounts)) => (jobs, Some(whole(accounts)?)),
            None => (number, None),
        };
        Ok(Self {
            job_type,
            level,
            jobs: whole(jobs)?,
            accounts,
        })
    }
}

/// `posts.gold=3.5/day`, or the same of all jobs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rate {
    of: Option<(JobType, Option<ServiceLevel>)>,
    pub(super) per_day: f64,
}

impl Rate {
    pub(super) fn is_of(&self, job_type: &JobType, level: &ServiceLevel) -> bool {
        self.of.as_ref().is_none_or(|(of, of_level)| {
            of == job_type && of_level.as_ref().is_none_or(|of_level| of_level == level)
        })
    }

    /// 0 for all jobs, 1 for those of a type, 2 for those of a level.
    pub(super) fn narrowness(&self) -> u32 {
        let of = self.of.as_ref();
        of.map_or(0, |(_, level)| 1 + u32::from(level.is_some()))
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (of, rate) = match text.rsplit_once('=') {
            Some((of, rate)) => (Some(job_type(of)?), rate),
            None => (None, text),
        };
        let (items, time) = rate
            .split_once('/')
            .ok_or("it needs a time, as in 3.5/day")?;
        let times_a_day = match time {
            "min" | "minute" => 1440.0,
            "h" | "hour" => 24.0,
            "d" | "day" => 1.0,
            "week" => 1.0 / 7.0,
            _ => {
                return Err(format!(
                    "{time:?} is no time: it needs minute, hour, day or week"
                ));
            }
        };
        let items: f64 = items
            .parse()
            .map_err(|_| format!("{items:?} is not a number"))?;
        let per_day = items * times_a_day;
        if !(0.0..=MAX_RATE).contains(&per_day) {
            return Err(format!(
                "{per_day} items a day are none that a job can bring: it needs 0 to {MAX_RATE}"
            ));
        }
        Ok(Self { of, per_day })
    }
}

/// `app=40%`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    scope: ScopeTemplate,
    share: f64,
}

impl Share {
    pub(super) fn of_scope(&self) -> (ScopeTemplate, f64) {
        (self.scope.clone(), self.share)
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let needs = "it needs a share, as in app=40%";
        let (scope, share) = text.rsplit_once('=').ok_or(needs)?;
        let Ok(Cushion::Share(share)) = share.parse() else {
            return Err(needs.to_owned());
        };
        let scope = scope.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { scope, share })
    }
}

/// `app=5000/15m`.
pub(super) fn limit(text: &str) -> Result<PlannedLimit, String> {
    let needs = "it needs calls and a window, as in app=5000/15m";
    let (scope, limit) = text.rsplit_once('=').ok_or(needs)?;
    let (calls, window) = limit.split_once('/').ok_or(needs)?;
    let window = duration::deserialize(StrDeserializer::<Error>::new(window));
    Ok(PlannedLimit {
        scope: scope.parse().map_err(|error| format!("{error}"))?,
        limit: LimitRule {
            calls: whole(calls)?,
            window: window.map_err(|error| error.to_string())?,
        },
    })
}

/// `x2`.
pub(super) fn factor(text: &str) -> Result<f64, String> {
    let number = text
        .strip_prefix('x')
        .unwrap_or(text)
        .parse()
        .unwrap_or(f64::NAN);
    if number > 0.0 && number <= MAX_FACTOR {
        Ok(number)
    } else {
        Err(format!(
            "it needs a number above 0 and at most {MAX_FACTOR}, as in x2"
        ))
    }
}

fn job_type(text: &str) -> Result<(JobType, Option<ServiceLevel>), String> {
    let (job_type, level) = match text.split_once('.') {
        Some((job_type, level)) => (job_type, Some(level)),
        None => (text, None),
    };
    let level = level.map(str::parse).transpose();
    let level = level.map_err(|error: polling_model::IdError| error.to_string())?;
    let job_type = job_type
        .parse::<JobType>()
        .map_err(|error| error.to_string())?;
    Ok((job_type, level))
}

/// Digits may be told apart by `_`.
fn whole(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    digits
        .parse()
        .map_err(|_| format!("{text:?} is not a whole number, 0 or more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_of_a_type_or_of_a_level_of_it() {
        let jobs = |text: &str| text.parse::<Jobs>().unwrap();
        let gold = jobs("posts.gold=1_000:500");
        assert_eq!(
            (gold.job_type.as_str(), gold.jobs, gold.accounts),
            ("posts", 1000, Some(500))
        );
        assert_eq!(gold.level.unwrap().as_str(), "gold");
        assert_eq!(jobs("posts=0").level, None);
    }

    #[test]
    fn the_narrowest_rate_is_known() {
        let rate = |text: &str| text.parse::<Rate>().unwrap();
        let (posts, gold) = ("posts".parse().unwrap(), "gold".parse().unwrap());
        for (text, per_day, narrowness) in [
            ("3.5/day", 3.5, 0),
            ("posts=2/h", 48.0, 1),
            ("posts.gold=7/week", 1.0, 2),
        ] {
            let rate = rate(text);
            assert!((rate.per_day - per_day).abs() < 1e-9 && rate.is_of(&posts, &gold));
            assert_eq!(rate.narrowness(), narrowness);
        }
        assert!(!rate("likes=1/day").is_of(&posts, &gold));
    }

    #[test]
    fn scopes_may_have_fields() {
        let limit = limit("account:{account}=300/15m").unwrap();
        assert_eq!(
            (limit.limit.calls, limit.limit.window.as_secs()),
            (300, 900)
        );
        let (scope, share) = "app=40%".parse::<Share>().unwrap().of_scope();
        assert_eq!((scope.to_string().as_str(), share), ("app", 0.4));
    }

    #[test]
    fn what_cannot_be_read_says_what_is_needed() {
        let jobs = |text: &str| text.parse::<Jobs>().unwrap_err();
        assert!(jobs("posts").contains("posts=1000"));
        assert!(jobs("posts=many").contains("not a whole number"));
        assert!(jobs("po sts=1").contains("allowed are"));
        let rate = |text: &str| text.parse::<Rate>().unwrap_err();
        assert!(rate("3").contains("3.5/day"));
        assert!(rate("3/year").contains("minute, hour, day or week"));
        assert!(rate("NaN/day").contains("needs 0 to"));
        assert!(limit("app=5000").unwrap_err().contains("app=5000/15m"));
        assert!(
            limit("app=5000/soon")
                .unwrap_err()
                .contains("no duration such as")
        );
        for text in ["app", "app=40", "app=400%", "app=-1%"] {
            assert!(text.parse::<Share>().unwrap_err().contains("app=40%"));
        }
        for text in ["", "x", "x0", "-1", "NaN", "inf"] {
            assert!(factor(text).unwrap_err().contains("as in x2"));
        }
    }
}
