//! Queues on Redis Streams, 7.0 or newer, for whoever has no SQS; feature `redis`.
//!
//! ```no_run
//! use std::time::Duration;
//! use polling_transport::{Queue, redis};
//!
//! # async fn program() -> Result<(), polling_transport::QueueError> {
//! // Queues of one space share a node of a cluster: those of a channel, under its name.
//! let client = redis::Client::builder("redis://127.0.0.1:6379/", "mastodon").build()?;
//!
//! // Once, by whoever sets the system up.
//! let timeout = Duration::from_secs(60);
//! redis::create_queue(&client, &redis::QueueSpec::new("jobs-dead", timeout)).await?;
//! let spec = redis::QueueSpec::new("jobs", timeout).dead_letter("jobs-dead", 3);
//! redis::create_queue(&client, &spec).await?;
//!
//! let jobs = redis::RedisQueue::connect(&client, "jobs").await?;
//! jobs.send(vec!["poll account 42".to_owned()]).await;
//! for message in jobs.receive(100, Duration::from_secs(20)).await? {
//!     jobs.ack(&message.receipt).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The server keeps everything in memory: see that its maximum fits, that it evicts nothing
//! (`maxmemory-policy noeviction`, which is checked), and that it writes to disk
//! (`appendonly yes`). [`link`] is how this and other parts of the system reach it.

mod answer;
mod calls;
mod client;
mod create;
mod error;
pub mod link;
mod queue;
mod receipt;
mod scripts;
mod wake;

pub use crate::queue::DeadLetter;

pub use self::{
    client::{CONSUMER_IDLE, Client, ClientBuilder, MAX_NAME_LEN},
    create::{DEFAULT_CAPACITY, QueueSpec, create_queue},
    queue::{
        LINGER, MAX_BATCH_ENTRIES, MAX_BATCH_SIZE_BYTES, MAX_CONCURRENT_CALLS, MAX_QUIET,
        MAX_VISIBILITY, MAX_WAIT, MAX_WAITING_ENTRIES, RedisQueue, SWEEP_EVERY,
    },
};
