//! The console in a real browser, over a scheduler that runs: what the pages look like, and that people can work with them.
#![allow(clippy::unwrap_used)]

mod changes;
mod guarded;
mod keys;
mod pages;
mod site;
mod speed;
mod steering;
