//! Amazon SQS, and servers that speak its protocol; feature `sqs`.
//!
//! ```no_run
//! use std::time::Duration;
//! use polling_transport::{Queue, sqs};
//!
//! # async fn program() -> Result<(), polling_transport::QueueError> {
//! // AWS_REGION, AWS_ENDPOINT_URL_SQS, credentials, profiles: the usual settings.
//! let client = sqs::client(&sqs::load_config().await);
//!
//! // Once, by whoever sets the system up.
//! let timeout = Duration::from_secs(60);
//! sqs::create_queue(&client, &sqs::QueueSpec::new("jobs-dead", timeout)).await?;
//! let spec = sqs::QueueSpec::new("jobs", timeout).dead_letter("jobs-dead", 3);
//! sqs::create_queue(&client, &spec).await?;
//!
//! let jobs = sqs::SqsQueue::connect(&client, "jobs").await?;
//! jobs.send(vec!["poll account 42".to_owned()]).await;
//! for message in jobs.receive(10, Duration::from_secs(20)).await? {
//!     jobs.ack(&message.receipt).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! TLS is rustls with *ring*. A client with other settings works as well: start from
//! [`client_config`], whose deadlines every call needs.

mod address;
mod attributes;
mod calls;
mod client;
mod create;
mod error;
#[cfg(test)]
mod fuzz;
mod queue;
mod trace;

pub use aws_config::SdkConfig;
pub use aws_sdk_sqs::{Client, config::Builder as ClientConfig};

pub use crate::queue::DeadLetter;

pub use self::{
    client::{
        ATTEMPT_TIMEOUT, CONNECT_TIMEOUT, MAX_ATTEMPTS, OPERATION_TIMEOUT, client, client_config,
        load_config,
    },
    create::{DEFAULT_RETENTION, QueueSpec, create_queue},
    queue::{
        LINGER, MAX_BATCH_ENTRIES, MAX_BATCH_SIZE_BYTES, MAX_CONCURRENT_CALLS, MAX_VISIBILITY,
        MAX_WAIT, MAX_WAITING_ENTRIES, SqsQueue,
    },
};
