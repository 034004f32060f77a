//! `pollctl alerts`: its files, and what real Prometheus, Alertmanager, Graphite and Nagios make of them.
#![allow(clippy::unwrap_used)]

mod files;
mod fires;
mod scene;
mod servers;
