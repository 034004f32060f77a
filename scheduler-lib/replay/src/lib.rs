//! Policies of how often to poll, replayed over what accounts really did.
//!
//! A [`Trace`] says when each account's items appeared. [`replay`] lets a [`Policy`] spend a budget
//! of calls on it, minute by minute, and measures how long each item waited. Several policies on
//! the same trace, with as many calls each, show what a policy is worth.
//!
//! ```
//! use replay::{Budget, Trace, policies, replay};
//!
//! let trace = Trace::read("account,unix_seconds\n0,60\n1,90\n0,7200\n".as_bytes(), "tiny")?;
//! let budget = Budget { every_min: 10.0, page: 20 };
//! let settings = policies::Settings::new(&trace, budget);
//! let outcome = replay(&trace, policies::named("uniform", &settings).expect("it exists").as_mut(), budget);
//! assert!(outcome.delays_min.iter().all(|delay| *delay <= 11.0));
//! # Ok::<_, replay::TraceError>(())
//! ```

mod engine;
pub mod policies;
mod reference;
mod summary;
mod trace;

pub use self::{
    engine::{Budget, Outcome, Policy, replay},
    summary::Summary,
    trace::{Tier, Trace, TraceError},
};

/// Milliseconds in a slot.
const MINUTE_MS: i64 = 60_000;
