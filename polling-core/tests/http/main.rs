//! Behaviour of the HTTP layer, as a channel's author uses it.

// A test that cannot go on may panic.
#![allow(clippy::unwrap_used)]

mod dialect;
mod recorded;
