//! The test kit: the rig, the fake channel, and the contract over good pollers and broken ones.

// A test that cannot go on may panic.
#![allow(clippy::unwrap_used)]

mod broken;
mod channel;
mod contract;
mod http_poller;
mod rig;
