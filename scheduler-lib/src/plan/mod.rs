//! What to expect of limits before jobs are registered: how stale items of each level are, what each
//! limit is used for, and what breaks first when accounts are added or a limit is cut.
//!
//! A plan is a pure function of what the scheduler goes by: the [rules](crate::policy::JobTypeRules),
//! how many jobs there are of each level, how many items they bring, and the limits.
//!
//! ```
//! use std::{collections::BTreeMap, time::Duration};
//! use scheduler_lib::{plan::{JobGroup, PlanInput, Rates, plan}, policy::JobTypeRules};
//!
//! let mut rules = JobTypeRules::every(Duration::from_secs(300));
//! rules.scopes = serde_json::from_str(r#"[{"scope": "app", "limit": {"calls": 5000, "window": "15m"}}]"#)?;
//! let input = PlanInput::new(BTreeMap::from([("posts".parse()?, rules)])).with(JobGroup {
//!     job_type: "posts".parse()?,
//!     level: "default".parse()?,
//!     jobs: 3_333,
//!     accounts: None,
//!     rates: Rates::same(2.0)?,
//! });
//! // Twice as many calls are wanted as there are: intervals double, and with them the delay.
//! let plan = plan(&input)?;
//! assert_eq!(plan.levels[0].mean_interval_minutes.round(), 10.0);
//! assert_eq!(plan.levels[0].staleness_minutes.round(), 5.0);
//! assert_eq!((plan.breaks[0].accounts.unwrap() * 100.0).round(), 50.0);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is found
//!
//! Each scope has a price, in minutes of delay that a call has to save, as in the
//! [ledger](crate::ledger); a job goes by the sum of its scopes' prices, `λ`. It is polled when a poll
//! is worth that:
//!
//! | jobs | a poll after `s` minutes is worth | polls per minute |
//! |---|---|---|
//! | at fixed intervals | `w s² / (2 interval)` | `√(w / (2 interval λ))` |
//! | adaptive, `r` items per minute | `w (M s / 2 + L N q^(N+1))`, `M = r s`, `q = M / (1 + M)` | `√(w r / (2 λ))`, and more where a page may overflow |
//!
//! within `1 / max_age` and `1 / interval`. These are the frequencies of the least mean delay under a
//! budget (Sia, Cho, Cho: Efficient Monitoring Algorithm for Fast News Alerts, TKDE 2007: `√(w r)`),
//! with a Lagrange multiplier for each limit, found by bisection so that use just fits. The
//! multiplier is what the scheduler's feedback arrives at, so a plan tells what it settles at.
//!
//! An item waits half a gap between polls, on average: gaps are taken to be even, and items to come at
//! a constant rate.
//!
//! # What is not as usual
//!
//! | | |
//! |---|---|
//! | promises of `max_age` do not fit | alarm; the lowest weights give way first, those of one weight alike |
//! | a weight of 0 | takes what nobody else wants, or its `max_age` |
//! | no jobs | the level tells what a single one would get |
//! | no call is left above the cushion | nobody is polled: intervals and delays are without end |
//! | no items | the level's staleness is that of an item that might come |
//! | a scope without a limit | holds nobody back |
//! | several cushions in one scope | the largest counts for all: the rest is a reserve of those with smaller ones |
//! | accounts with jobs of several types in one scope | each is taken to be the mean of its level |
//!
//! # Errors
//!
//! [`PlanError`] for what the scheduler would not take, or makes no sense: nothing here panics.

mod cell;
mod input;
mod rates;
mod result;
mod shared;
mod solve;
mod tell;
mod words;

pub use self::{
    input::{JobGroup, MAX_FACTOR, MAX_JOBS, PlanError, PlanInput, PlannedLimit},
    rates::{MAX_RATE, Rates},
    result::{Break, Breaking, LevelPlan, Plan, ScopePlan, WindowPlan},
};
use self::{solve::by_cell, tell::Solved};

/// What to expect.
///
/// # Errors
///
/// [`PlanError`] when the input makes no sense.
pub fn plan(input: &PlanInput) -> Result<Plan, PlanError> {
    input.check()?;
    let mut cells = shared::cells(input);
    let (scopes, mut notes) = shared::scopes(input, &cells);
    solve::cut_promises(&mut cells, &scopes);
    let prices = solve::prices(&cells, &scopes);
    let sums = by_cell(&cells, &scopes, &prices);
    let polled = cells.iter().zip(sums);
    let polled = polled.map(|(cell, price)| (price, cell.frequency(price)));
    let solved = Solved {
        by_cell: polled.collect(),
        input,
        cells,
        scopes,
        prices,
    };
    let (levels, scopes, breaks) = (solved.levels(), solved.scopes(), solved.breaks());
    notes.extend(words::notes(input, &scopes));
    Ok(Plan {
        alarms: words::alarms(&levels, &scopes, &breaks),
        levels,
        scopes,
        breaks,
        notes,
    })
}
