//! One rate limit, two products: whether our calls stay above the cushion, and use what is left.
//!
//! Ten thousand jobs of three service levels ask for twice as many calls as another product, which
//! spends in bursts, leaves to them above the cushion. The production scheduler and worker, several
//! replicas of each, run under simulated time; a [`Meter`] on the channel takes down every call,
//! and a [`Report`] says what came of it.
//!
//! ```
//! use budget::{Report, Scenario, simulate};
//!
//! let scenario = Scenario { jobs: 140, windows: 2, limit: 100, cushion: 10, ..Scenario::default() };
//! let meter = simulate(&scenario, |_slot| {});
//! let report = Report::new(&scenario, &meter);
//! assert!(report.calls().answered() > 0);
//! ```

mod cast;
mod channel;
mod limit;
mod meter;
mod product;
mod report;
mod run;
mod scenario;
#[cfg(feature = "servers")]
pub mod servers;
mod simulation;

pub use self::{
    meter::{Account, Calls, Meter, Step, Window},
    report::{Holds, REFUSED_AT_MOST, Report, TierReport, USED_AT_LEAST},
    scenario::{Scenario, TIERS, Tier},
    simulation::simulate,
};
