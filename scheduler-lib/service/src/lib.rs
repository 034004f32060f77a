//! The ready-made scheduler service: a thin shell around `scheduler-lib`.

pub mod admin;
pub mod assemble;
pub mod chain;
pub mod check;
pub mod cli;
pub mod config;
pub mod run;
pub mod secret;
pub mod servers;
pub mod suggest;
