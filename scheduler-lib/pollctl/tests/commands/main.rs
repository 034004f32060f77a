//! Commands, against the admin server of a scheduler over memory.
#![allow(clippy::unwrap_used)]

mod access;
mod dead_letters;
mod doctor;
mod files;
mod jobs;
mod kill_switch;
mod program;
mod support;
mod views;
