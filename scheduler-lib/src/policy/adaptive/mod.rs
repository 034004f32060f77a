//! Polls where they save the most delay.
//!
//! A call is worth what it saves: the items that wait unseen, times how long they wait. Each job's
//! worth grows from its last poll on, and when it reaches the **price** that a call costs, the job
//! is due. The price follows the budget, so that just as many jobs reach it as there are calls.
//!
//! * [`Activity`] is what is remembered of one job: how many items it brought lately, counted with
//!   three memories of 30 minutes, one day and seven days.
//! * [`Model`] turns that into a rate of items: each item makes more of them likely for a while (a
//!   self-exciting process), over a background rate that all jobs share. It learns from what was
//!   seen ([`Evidence`]).
//! * [`Worth`] is the index `U = w (M s / 2 + L N q^(N+1))` after `s` minutes with `M` items
//!   expected, and when it reaches a price.
//! * [`Price`] follows the budget.
//!
//! With a constant rate `r` the index is `w r s² / 2`: equal worth then means frequencies as
//! `√(w r)`, the least mean delay that any fixed frequencies reach under a budget (Sia, Cho, Cho:
//! Efficient Monitoring Algorithm for Fast News Alerts, TKDE 2007), with nothing to solve over all
//! jobs. Letting each page be polled as its own index reaches a common threshold is Olston's and
//! Pandey's (Recrawl Scheduling Based on Information Longevity, WWW 2008).
//!
//! [`AdaptiveFrequency`] is all this as the cycle uses it, for the job types whose rules say
//! `adaptive`; the price is the [ledger](crate::ledger)'s. `replay` shows on traces what it reaches.
//!
//! ```
//! use std::time::Duration;
//! use scheduler_lib::policy::adaptive::{Activity, Model, Terms};
//!
//! const MINUTE_MS: i64 = 60_000;
//! let (model, terms) = (Model::new(Duration::from_secs(24 * 3600)), Terms::default());
//! let (quiet, busy) = (Activity::since(0), Activity::since(0));
//! let quiet = quiet.polled(10 * MINUTE_MS, &[], &model);
//! let busy = busy.polled(10 * MINUTE_MS, &[4 * MINUTE_MS, 9 * MINUTE_MS], &model);
//! let price = 10.0; // minutes of delay that a call has to save
//! assert!(model.worth(&busy, terms).due_ms(price) < model.worth(&quiet, terms).due_ms(price));
//! ```

mod activity;
mod evidence;
mod frequency;
mod model;
mod price;
mod worth;

pub use self::{
    activity::{Activity, ActivityError},
    evidence::Evidence,
    frequency::AdaptiveFrequency,
    model::Model,
    price::{EARLY, Price},
    worth::{Terms, Worth},
};

/// How many memories there are.
const MEMORIES: usize = 3;

const MS_PER_MINUTE: f64 = 60_000.0;

/// Minutes from one time to another; never negative.
fn minutes(from_ms: i64, to_ms: i64) -> f64 {
    to_ms.saturating_sub(from_ms).max(0) as f64 / MS_PER_MINUTE
}

/// The nearest within bounds; what is not a number is taken for the lowest.
const fn within(value: f64, lowest: f64, highest: f64) -> f64 {
    if value.is_nan() {
        lowest
    } else {
        value.clamp(lowest, highest)
    }
}
