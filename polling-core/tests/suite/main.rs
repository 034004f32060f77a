//! Behaviour of the layers, each alone over a service by hand, and of the worker over adapters in
//! memory. Time is paused but where a thread is blocked on purpose.

// A test that cannot go on may panic.
#![allow(clippy::unwrap_used)]

mod ack;
mod bus_outage;
mod catch_panic;
mod complete;
mod contract;
mod delivery;
mod paging;
mod poison;
mod publish;
mod rate_limit;
mod support;
mod timeout;
mod tracing;
mod tuning;
mod typed;
mod worker;
mod worker_faults;
mod worker_shutdown;
