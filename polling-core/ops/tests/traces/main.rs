//! Which spans are exported, and what becomes of the program when nobody takes them.
#![allow(clippy::unwrap_used)]

mod bounds;
mod otlp;
mod outcome;
mod support;
mod tree;
