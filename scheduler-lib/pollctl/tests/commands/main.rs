//! Commands, against the admin server of a scheduler over memory.
#![allow(clippy::unwrap_used)]

mod access;
mod config;
mod dead_letters;
mod doctor;
mod files;
mod jobs;
mod kill_switch;
mod moving;
mod program;
mod scale;
mod support;
mod views;
