//! The adapters in memory: whole products for one process, for demos, tests and simulations.

mod bus;
mod queue;

pub use bus::{DEFAULT_BUS_CAPACITY, DEFAULT_BUS_DEADLINE, MemoryBus, MemoryBusBuilder};
pub use queue::{
    DEFAULT_CAPACITY, DEFAULT_MAX_RECEIVE_BATCH, DEFAULT_VISIBILITY_TIMEOUT, MemoryQueue,
    MemoryQueueBuilder, StoredMessage,
};
