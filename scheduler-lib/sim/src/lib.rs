//! The protocol and the cycle, run under every fault that they promise to survive.

pub mod cycle;
pub mod protocol;
