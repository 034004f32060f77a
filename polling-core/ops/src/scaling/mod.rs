//! How many workers a job type needs: a pure function of what its queue, its slots and the clock tell.
//!
//! [`decide`] takes the rules, what was known before and one [`Sample`], and gives the number of workers with
//! the reason in words, and what to remember. It does no I/O and reads no clock, so it runs in a scheduler, in
//! a test, or over a trace.
//!
//! ```
//! use polling_ops::scaling::{LookAhead, Sample, ScalingRules, ScalingState, decide};
//! use std::time::Duration;
//!
//! let rules = ScalingRules { max: 20, rate_per_s: 0.5, ..ScalingRules::default() };
//! let sample = Sample {
//!     now_ms: 1_700_000_000_000,
//!     waiting: 30,
//!     oldest_age_ms: Some(5_000),
//!     look_ahead: vec![LookAhead { within: Duration::from_secs(120), jobs: 600 }],
//!     ..Sample::default()
//! };
//! let (decision, state) = decide(&rules, ScalingState::default(), &sample);
//! assert!((10..=20).contains(&decision.workers), "{}", decision.reason);
//! # let _ = state;
//! ```
//!
//! # What is reckoned
//!
//! A worker does μ jobs a second, of which it is meant to be busy for the share [`utilisation`](ScalingRules::utilisation).
//! `P(u)` jobs come within the next `u` seconds: those that the slots hold, evenly spread within each span of the
//! look-ahead, and what comes unforeseen. A job that comes at `u` is to be taken up by `u + T`, `T` being
//! three quarters of the objective; the rest is for what nobody foresees. What waits came evenly since the oldest of it did.
//!
//! * **Deadlines.** Within any window from `s` to `d`, what comes after `s` and is due by `d` has to be done in the window:
//!   `n ≥ (jobs due by d that come after s) / (μ (d − s))`, and with `s = 0` what waits counts too. This is the demand
//!   bound of scheduling by deadlines (Baruah, Rosier and Howell 1990), on the arrival curves of network calculus (Cruz
//!   1991, Le Boudec and Thiran 2001).
//! * **Starting.** Workers asked for now help only after they have started. Those that run and those that start are
//!   reckoned with, and what is still missing falls on the time that is left: `(jobs − what those do) / (μ (d − start))`.
//!   Only windows that begin before a worker asked for in the next turn would be ready count; the others can wait.
//! * **Steady state.** By Little's law (1961) `λ` jobs a second of `1 / μ` worker-seconds each keep `λ / μ` workers busy,
//!   so no fewer are kept, whatever slack there is.
//! * **In flight.** Workers hold at most [`concurrency`](ScalingRules::concurrency) jobs each, so `⌈in flight / concurrency⌉`
//!   of them have work: none of those is taken away.
//!
//! More workers are asked for at once, at most [`step_up`](ScalingRules::step_up). Fewer only after fewer have been enough
//! for [`down_after`](ScalingRules::down_after), with a margin of [`hysteresis`](ScalingRules::hysteresis), and then no
//! fewer than were needed at any time since: a worker that is stopped and started again within its start-up costs more than
//! one that idles.
//!
//! # What is measured
//!
//! Where arrivals are not counted, they are what the look-ahead of the last sample foresaw; where completions are not,
//! they are what arrived and is not there any more. So every replica of a scheduler reckons with the whole channel's
//! figures, not with its own share. What a worker does follows by Little's law again, however many workers there are: a job takes
//! `in flight / completions per second`, and a busy worker has `concurrency` of them under way. It is measured while there is
//! work for one worker at least; [`rate_per_s`](ScalingRules::rate_per_s) is what is believed before, and an eighth and eight times
//! of it are the bounds. Jobs that nobody foresees are seen once they wait.

mod curve;
mod decide;
mod demand;
mod fleet;
mod reason;
mod rules;
mod sample;
mod state;

pub use self::{
    decide::{Decision, decide},
    rules::{RuleError, ScalingRules},
    sample::{LookAhead, Sample},
    state::{Rates, ScalingState},
};
