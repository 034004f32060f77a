//! The program on real servers.
#![allow(clippy::unwrap_used)]

mod cycle;
mod explain;
mod moving;
mod outage;
mod plan;
mod queues;
mod service;
#[path = "../support/mod.rs"]
mod support;
