//! What measures the promises: the parts of the program `measure`, and what benchmarks share.

#[cfg(feature = "servers")]
pub mod ceiling;
pub mod cycle;
pub mod figure;
mod idle;
pub mod jobs;
pub mod layers;
pub mod metering;
pub mod policy;
pub mod process;
#[cfg(feature = "redis")]
pub mod redis_server;
pub mod report;
pub mod rounds;
pub mod scale;
pub mod store;
