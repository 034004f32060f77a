//! The whole cycle under simulated time: the production scheduler and worker over the adapters in
//! memory, with faults drawn from a seed.
//!
//! One seed is one run, whatever the machine. Several schedulers and workers share one store, one
//! work queue and one channel with a rate limit. Each of their calls passes a decorator that may
//! fail it, repeat it or kill the caller; behind it another decorator shows every effect to the
//! oracle, which checks each [`Property`] as things happen. After some time the faults stop, and
//! the run asks whether everything recovers.
//!
//! ```
//! use cycle_sim::cycle::{Scenario, run};
//!
//! let outcome = run(Scenario::draw(42, 10, 20), false);
//! assert_eq!(outcome.violation, None);
//! assert!(outcome.measures.cycles > 0);
//! ```

mod campaign;
mod channel;
mod cost;
mod faults;
mod faulty;
mod measures;
pub mod named;
mod nemesis;
mod operator;
mod oracle;
mod process;
mod property;
mod run;
mod scenario;
mod shrink;
mod stage;
mod trace;
mod watched;

pub use self::{
    campaign::{Campaign, Failed, RUN_MINUTES, Totals},
    faults::{Fault, FaultCounts, FaultRates, UnknownFault},
    measures::{Counted, Measures, Overdue},
    property::{Property, Violation},
    run::{Outcome, run},
    scenario::{Level, Outage, Role, Scenario, mean_interval},
    shrink::{Shrunk, shrink},
    trace::stamp,
};
