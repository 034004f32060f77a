//! Behaviour of the HTTP layer, as a channel's author uses it.

// A test that cannot go on may panic.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "http")]
mod client;
mod dialect;
mod dialect_hostile;
mod dialect_properties;
#[cfg(feature = "http")]
mod hostile;
mod recorded;
#[cfg(feature = "http")]
mod server;
#[cfg(feature = "http")]
mod support;
