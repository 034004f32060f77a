//! Settings of real servers broken on purpose: the doctor names each with its mend, and says no more once
//! it is mended.
#![allow(clippy::unwrap_used)]

mod configuration;
#[allow(dead_code)]
#[path = "../../../tests/store_redis/own_server.rs"]
mod own_server;
mod queues;
mod redis_settings;
mod scene;
