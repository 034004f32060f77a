//! The pages on which an operator decides.
#![allow(clippy::unwrap_used)]

mod accounts;
mod dead_letters;
mod everywhere;
mod jobs;
mod limits;
mod now;
mod settings;
mod steering;
mod support;
