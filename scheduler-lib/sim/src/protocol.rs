//! An explicit-state model of the protocol.
//!
//! Every state that drain, send, receive, poll, complete, settle, reap, edits by hand, crashes,
//! repeated deliveries and a rollback of the store can lead to, within [`Bounds`], is visited once,
//! and every [`Property`] is checked at every step. Known mistakes are [`Variant`]s; the search
//! finds the shortest way in which each fails.
//!
//! ```
//! use cycle_sim::protocol::{Bounds, Property, Search, Variant};
//!
//! let search = Search {
//!     variant: Variant::PopThenSend,
//!     bounds: Bounds::of_one_job(),
//!     max_states: 100_000,
//!     threads: 1,
//! };
//! let report = search.run(|_| ());
//! let lost = &report.counter_examples[0];
//! assert_eq!(lost.property, Property::NeverLost);
//! assert_eq!(lost.steps.len(), 2, "popped, then the scheduler crashes:\n{lost}");
//! ```
//!
//! What is abstracted: time (any deadline may have passed at any moment, none need have), contexts,
//! and the number of jobs in a chunk (a store's step is atomic per job, and a note's entries are
//! struck off one by one). A message that is not deleted may be delivered at any moment, to
//! anybody, which includes every duplicate and every lapsed visibility timeout. The sweep is no
//! step: that it would find nothing is what [`Property::NeverLost`] says of every state.
//!
//! Jobs share nothing but processes and the bounds on faults, and a process that is busy with
//! another job only does less. So whatever happens to one job among many can happen to it alone,
//! and a search of one job's whole space speaks for any number of them.

mod apply;
mod bounds;
pub mod cli;
mod fingerprint;
mod liveness;
pub mod page;
mod search;
mod state;
mod step;
mod tell;
mod trace;
mod variant;

pub use self::{
    bounds::{Bounds, MAX_ACTORS, MAX_DISPATCHES, MAX_JOBS},
    liveness::{Liveness, liveness},
    search::{Progress, Report, Search},
    trace::{CounterExample, TraceStep},
    variant::{Property, Variant},
};
