//! The program on real servers.
#![allow(clippy::unwrap_used)]

mod adding;
mod cycle;
mod explain;
mod moving;
mod outage;
#[allow(dead_code)]
#[path = "../../../tests/store_redis/own_server.rs"]
mod own_server;
mod permissions;
mod plan;
mod queues;
mod service;
#[path = "../support/mod.rs"]
mod support;
