//! The admin server, without a port.

mod access;
mod batch;
mod health;
mod jobs;
mod support;
