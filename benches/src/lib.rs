//! What measures the promises: the parts of the program `measure`, and what benchmarks share.

pub mod cycle;
pub mod figure;
pub mod jobs;
pub mod process;
#[cfg(feature = "redis")]
pub mod redis_server;
pub mod store;
