//! The admin server, without a port.
#![allow(clippy::unwrap_used)]

mod access;
mod batch;
mod health;
mod jobs;
mod support;
