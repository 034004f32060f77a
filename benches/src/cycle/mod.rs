//! The full cycle: a real scheduler and a real worker, jobs that are always due.
//!
//! Each job's interval is a second, and more jobs are registered than can be polled in one: so the
//! slots never run empty, and what is counted is what the cycle can do. A measurement during which
//! they did is refused.

mod adapters;
#[cfg(feature = "redis")]
mod lateness;
mod load;
mod pump;
mod requests;
mod run;
#[cfg(feature = "servers")]
mod servers;
#[cfg(feature = "redis")]
mod streams;

#[cfg(feature = "servers")]
pub use self::servers::Servers;
pub use self::{
    adapters::in_process,
    load::Load,
    pump::{pump, resident},
    requests::Requests,
    run::run,
};
#[cfg(feature = "redis")]
pub use self::{
    lateness::{Even, lateness},
    streams::streams,
};

use polling_transport::{SharedBus, SharedQueue};
use scheduler_lib::{SharedStore, ledger::SharedLedger};

/// What scheduler and worker are connected to.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Registrations and slots.
    pub store: SharedStore,
    /// Rate limits: jobs here have none.
    pub ledger: SharedLedger,
    /// Jobs to poll.
    pub work: SharedQueue,
    /// Completions.
    pub completed: SharedQueue,
    /// What was received too often.
    pub dead_letter: SharedQueue,
    /// Events.
    pub bus: SharedBus,
}
