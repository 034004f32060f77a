//! Each fault of the proxy, between a client and a server that the test plays by hand: what comes
//! next is awaited, never slept for.
#![allow(clippy::unwrap_used)]

mod cutting;
mod passing;
mod real_servers;
mod sqs;
mod support;
mod vanishing;
