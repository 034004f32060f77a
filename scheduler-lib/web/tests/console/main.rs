//! The pages on which an operator decides.
#![allow(clippy::unwrap_used)]

mod accounts;
mod dead_letters;
mod everywhere;
mod limits;
mod settings;
mod steering;
mod support;
