//! The messages, the server's trait and a client, generated from `proto/externalscaler.proto`.

// Generated: a test holds it against what the generator makes of the interface.
#![allow(
    missing_docs,
    unreachable_pub,
    rust_2018_idioms,
    clippy::all,
    clippy::pedantic
)]

include!("generated/externalscaler.rs");
