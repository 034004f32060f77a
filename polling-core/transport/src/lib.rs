//! The ports through which jobs and events travel, and their adapters.
//!
//! | port | adapters |
//! |---|---|
//! | [`Queue`]: jobs and completions | `memory::MemoryQueue`; `sqs` (feature `sqs`); `redis` (feature `redis`) |
//! | [`EventBus`]: what polls found | `memory::MemoryBus`; `kafka` (feature `kafka`) |
//!
//! [`Metered`] around either tells an observer of each call.
//!
//! An adapter of your own passes the same suites: feature `conformance`.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use polling_model::SystemClock;
//! use polling_transport::{Queue, memory::MemoryQueue};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), polling_transport::QueueError> {
//! let jobs = MemoryQueue::builder("jobs", Arc::new(SystemClock)).build();
//! jobs.send(vec!["poll account 42".to_owned()]).await;
//! let received = jobs.receive(10, Duration::from_secs(20)).await?;
//! jobs.ack(&received[0].receipt).await?;
//! # Ok(())
//! # }
//! ```

#[cfg(any(feature = "redis", feature = "sqs"))]
mod batcher;
pub mod bus;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(any(feature = "redis", feature = "sqs"))]
mod fault;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod memory;
pub mod metered;
pub mod queue;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "sqs")]
pub mod sqs;

pub use bus::{BusError, BusErrorKind, Deliveries, EventBus, SharedBus};
pub use clock::TokioClock;
pub use metered::{Call, Metered};
pub use queue::{
    DeadLetter, EntryError, Message, Outgoing, Queue, QueueError, QueueErrorKind, QueueStats,
    Receipt, SharedQueue,
};
