//! What faults may cost: the bound on polls whose work was for nothing.

use scheduler_lib::store::MAX_CHUNK;

use super::{
    faults::{Fault, FaultCounts},
    scenario::Scenario,
};

/// Most polls that one fault may waste. Each number follows from a promise:
///
/// | the fault takes with it | promise | polls wasted |
/// |---|---|---|
/// | one message, or one poll | what comes twice settles as stale | 1 |
/// | a worker | it receives no more than it has permits | its concurrency |
/// | a step of a scheduler | a chunk not known to be sent, or settled, comes once more | a chunk |
/// | a scheduler, or the store | what was in flight comes back through the reaper, once | every job |
const fn most_wasted(fault: Fault, scenario: &Scenario) -> u64 {
    let chunk = MAX_CHUNK as u64;
    let chunk = if scenario.jobs < chunk {
        scenario.jobs
    } else {
        chunk
    };
    match fault {
        // They change the order, or the answer, and no poll is lost by it.
        Fault::ApiError | Fault::Garbage | Fault::Reordering | Fault::Oversize => 0,
        Fault::Duplicate
        | Fault::DeliveryAfterDelete
        | Fault::StaleReceipt
        | Fault::BusFailed
        | Fault::BusLostReply
        | Fault::BusSlow
        | Fault::ApiHang => 1,
        // One that kills its worker takes the other polls with it.
        Fault::Poison => scenario.concurrency as u64,
        Fault::Delay
        | Fault::StoreRefused
        | Fault::StoreLostReply
        | Fault::QueueRefused
        | Fault::QueueLostReply
        | Fault::PartialBatch => chunk,
        Fault::Crash
        | Fault::Kill
        | Fault::Restart
        | Fault::Stall
        | Fault::ClockJump
        | Fault::Rollback => scenario.jobs,
    }
}

/// Most polls that these faults may waste. An edit may waste one, of the copy in flight that it
/// fences.
pub(crate) fn allowed(faults: &FaultCounts, edits: u64, scenario: &Scenario) -> u64 {
    let cost = |fault: &Fault| {
        let count = faults.get(fault.as_str()).copied().unwrap_or(0);
        count * most_wasted(*fault, scenario)
    };
    edits + Fault::ALL.iter().map(cost).sum::<u64>()
}
