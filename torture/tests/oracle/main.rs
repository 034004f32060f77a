//! The oracles before a real Redis, with forged violations: what must not be is told, by name.
#![allow(clippy::unwrap_used)]

mod places;
