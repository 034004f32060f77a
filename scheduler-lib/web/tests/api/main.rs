//! The admin server, without a port.
#![allow(clippy::unwrap_used)]

mod access;
mod batch;
mod explain;
mod health;
mod jobs;
mod openapi;
mod operate;
mod support;
