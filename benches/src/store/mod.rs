//! A store by itself: all of its jobs are registered, drained, sent and settled, one step after the
//! other.

#[cfg(feature = "redis")]
mod ceiling;
pub mod memory;
mod phases;
#[cfg(feature = "redis")]
pub mod redis;

pub use self::phases::{Phases, Plan};
