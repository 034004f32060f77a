//! A store by itself: all of its jobs are registered, drained, sent and settled, one step after the
//! other.

#[cfg(feature = "redis")]
mod benchmark;
#[cfg(feature = "redis")]
mod ceiling;
#[cfg(feature = "redis")]
pub mod cluster;
#[cfg(feature = "redis")]
pub mod giant;
#[cfg(feature = "redis")]
pub mod growth;
pub mod memory;
mod phases;
#[cfg(feature = "redis")]
pub mod redis;

#[cfg(feature = "redis")]
pub use self::ceiling::Prepared;
pub use self::phases::{Phases, Plan};
