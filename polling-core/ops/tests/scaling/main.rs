//! How workers are scaled.

mod cases;
mod constant;
mod load;
mod properties;
mod trace;
mod world;
