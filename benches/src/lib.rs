//! What measures the promises: the parts of the program `measure`, and what benchmarks share.

pub mod cycle;
pub mod figure;
mod idle;
pub mod jobs;
pub mod layers;
pub mod policy;
pub mod process;
#[cfg(feature = "redis")]
pub mod redis_server;
pub mod store;
