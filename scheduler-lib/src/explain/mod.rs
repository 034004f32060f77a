//! Why a job is where it is, and when it is polled next: told to a person who does not know the
//! code.

mod advice;
mod text;
mod time;

use polling_model::{AccountId, JobId, JobType, ScopeKey, ServiceLevel};
use serde::{Deserialize, Serialize};

use crate::{
    ledger::{Claim, Cushion, PROMISED, Standing, WindowStanding},
    policy::{Frequency, JobTypeRules, Override, Seen},
    store::{Hold, JobRecord, Place},
};

/// All that an explanation goes by.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The job's record.
    pub record: &'a JobRecord,
    /// The rules of its type and how often such jobs are polled; `None` if the channel does not
    /// know the type.
    pub rules: Option<(&'a JobTypeRules, &'a dyn Frequency)>,
    /// How the limits stand in which its calls count, or what kept them from being read.
    pub limits: Result<&'a [(Claim, Standing)], &'a str>,
}

/// The story of a job. [`Display`](std::fmt::Display) tells it in words. Times are UTC
/// milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// When this was true.
    pub now_ms: i64,
    /// The job.
    pub id: JobId,
    /// Its kind.
    pub job_type: JobType,
    /// Who is polled for.
    pub account: AccountId,
    /// Its service level.
    pub level: ServiceLevel,
    /// Where it is.
    pub place: Whereabouts,
    /// When its last poll was settled.
    pub polled_ms: Option<i64>,
    /// Polls in a row that failed.
    pub failed_polls: u32,
    /// Messages in a row that no worker finished.
    pub unfinished: u32,
    /// Somebody asked for another poll while it is in flight.
    pub again_at_once: bool,
    /// What a person decided over its rules, and is not over.
    pub pace: Option<Override>,
    /// How often it is polled; `None` if the channel does not know its type.
    pub rules: Option<Rules>,
    /// Why it was placed, newest first.
    pub reasons: Vec<Because>,
    /// The limits in which its calls count.
    pub limits: Vec<LimitNow>,
    /// Why the limits are not known.
    pub limits_unknown: Option<String>,
    /// What an operator may do.
    pub advice: Vec<String>,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Whereabouts {
    /// It waits to be polled.
    Waits {
        /// For this.
        due_ms: i64,
    },
    /// A worker has it, or its queue.
    InFlight {
        /// It was due then, and has been handed on since.
        due_ms: i64,
        /// Without an answer until then it is placed anew.
        until_ms: i64,
    },
    /// It is polled no more until somebody resumes it.
    Held {
        /// Why.
        hold: Hold,
        /// A poll was under way when it was held, and has not been answered: what it brings is
        /// kept.
        poll_under_way: bool,
    },
}

/// How often a job is polled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Time between two polls; the shortest where it is adaptive.
    pub interval_ms: i64,
    /// It is polled when a call saves the most delay, instead of at its interval.
    pub adaptive: bool,
    /// Longest time between two polls.
    pub max_age_ms: Option<i64>,
    /// What a minute of its delay counts beside that of others.
    pub weight: f64,
    /// What a poll now is worth, in minutes of delay that it saves; `None` if it is promised
    /// whatever it is worth.
    pub worth_minutes: Option<f64>,
    /// What a call has to be worth now; 0 while there are enough. `None` if that is not known.
    pub price_minutes: Option<f64>,
}

/// Why a job was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// When; `None` for what was done by hand, whose time is not kept.
    pub at_ms: Option<i64>,
    /// In words.
    pub text: String,
}

/// How a rate limit stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitNow {
    /// Who shares it.
    pub scope: ScopeKey,
    /// What the job leaves of it to others.
    pub cushion: Cushion,
    /// The limit that the rules tell, whether the channel does or not.
    pub configured: Option<Configured>,
    /// The channel refuses calls until then.
    pub refused_until_ms: Option<i64>,
    /// What a call has to be worth, in minutes of delay.
    pub price_minutes: f64,
    /// Its windows, shortest first; none if nothing is known of it.
    pub windows: Vec<WindowNow>,
}

/// A limit as the rules of a job type tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    /// Calls per window.
    pub calls: u64,
    /// How long the window is.
    pub window_ms: i64,
}

/// How a window of a limit stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowNow {
    /// Calls per window.
    pub limit: u64,
    /// Calls left.
    pub left: u64,
    /// How many of them the job leaves to others.
    pub cushion: u64,
    /// When it ends.
    pub ends_ms: i64,
    /// How long it is.
    pub length_ms: i64,
}

/// Explains a job.
#[must_use]
pub fn explain(facts: &Facts<'_>, now_ms: i64) -> Explanation {
    let JobRecord { id, state, .. } = facts.record;
    let price = facts.limits.ok().map(price);
    let because = |reason: &crate::store::Reason| Because {
        at_ms: reason.at_ms,
        text: reason.text.to_string(),
    };
    let mut explanation = Explanation {
        now_ms,
        id: id.clone(),
        job_type: state.job_type.clone(),
        account: state.account.clone(),
        level: state.level.clone(),
        place: whereabouts(facts.record),
        polled_ms: (state.settled_ms > 0).then_some(state.settled_ms),
        failed_polls: state.attempts,
        unfinished: state.strikes,
        again_at_once: state.run_now,
        pace: state.pace.filter(|pace| pace.is_on(now_ms)),
        rules: facts.rules.map(|(rules, frequency)| {
            let seen = Seen::new(rules, state, &state.level, state.settled_ms, now_ms);
            rules_of(rules, frequency, &seen, price, now_ms)
        }),
        reasons: state.reasons.iter().map(because).collect(),
        limits: facts.limits.unwrap_or_default().iter().map(limit).collect(),
        limits_unknown: facts.limits.err().map(str::to_owned),
        advice: Vec::new(),
    };
    explanation.advice = advice::advice(&explanation);
    explanation
}

fn price(limits: &[(Claim, Standing)]) -> f64 {
    limits.iter().map(|(_, standing)| standing.price).sum()
}

const fn whereabouts(record: &JobRecord) -> Whereabouts {
    let state = &record.state;
    let due_ms = state.due_ms;
    match state.place {
        Place::Slot | Place::Later => Whereabouts::Waits { due_ms },
        Place::InFlight { deadline_ms } => Whereabouts::InFlight {
            due_ms,
            until_ms: deadline_ms,
        },
        Place::Held(hold) => Whereabouts::Held {
            hold,
            // What was refused never reached a worker.
            poll_under_way: state.nonce.is_some() && !matches!(hold, Hold::Refused),
        },
    }
}

fn rules_of(
    rules: &JobTypeRules,
    frequency: &dyn Frequency,
    seen: &Seen<'_>,
    price_minutes: Option<f64>,
    now_ms: i64,
) -> Rules {
    let worth = frequency.worth(seen, now_ms);
    Rules {
        interval_ms: seen.interval_ms,
        adaptive: rules.adaptive.is_some(),
        max_age_ms: seen.max_age_ms,
        weight: seen.weight,
        worth_minutes: (worth < PROMISED).then_some(worth),
        price_minutes,
    }
}

fn limit((claim, standing): &(Claim, Standing)) -> LimitNow {
    let window = |window: &WindowStanding| WindowNow {
        limit: window.limit,
        left: window.free,
        cushion: claim.cushion.calls_of(window.limit),
        ends_ms: window.ends_ms,
        length_ms: window.length_ms,
    };
    LimitNow {
        scope: claim.scope.clone(),
        cushion: claim.cushion,
        configured: claim.limit.map(|limit| Configured {
            calls: limit.calls,
            window_ms: limit.window_ms,
        }),
        refused_until_ms: standing.refused_until_ms,
        price_minutes: standing.price,
        windows: standing.windows.iter().map(window).collect(),
    }
}
