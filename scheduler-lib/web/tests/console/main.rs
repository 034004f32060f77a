//! The pages on which an operator decides.

mod accounts;
mod dead_letters;
mod everywhere;
mod limits;
mod settings;
mod steering;
mod support;
