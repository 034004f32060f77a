//! The scheduler of universal polling, to embed in a service: slots, leases, settling and policy.

pub mod duration;
pub mod levels;
pub mod policy;
pub mod store;

pub use store::{SharedStore, SlotStore, StoreError};
