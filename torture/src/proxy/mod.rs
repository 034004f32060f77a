//! A TCP proxy that breaks connections on purpose, one before each server.
//!
//! It knows where requests and replies of Redis, HTTP/1.1 and Kafka begin and end, so that it can
//! deliver a request and cut its reply; of Amazon SQS's JSON protocol it knows enough to drop one
//! action, to give a batch of messages twice, and to fail some entries of a batch. What it breaks
//! is drawn from a seed, per connection in the order in which connections are accepted: the same
//! requests on the same connections meet the same faults.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use torture::proxy::{Faults, Protocol, Proxy};
//!
//! let any_port = "127.0.0.1:0".parse().expect("an address");
//! let redis = "127.0.0.1:6379".parse().expect("an address");
//! let proxy = Proxy::start(any_port, redis, Protocol::Redis, 42).await?;
//! println!("redis://{}/", proxy.address());
//! proxy.set(Faults { cut_reply: 0.02, ..Faults::default() }).await?;
//! // ... and when the time has come:
//! proxy.set(Faults::default()).await?;
//! assert_eq!(proxy.counts()["cut-reply"], 0); // nobody came
//! # Ok(())
//! # }
//! ```
//!
//! For Kafka the address to listen at is not free to choose: the broker tells it to its clients.
//! See [`KafkaPorts`].

mod connection;
mod counts;
mod faults;
mod kafka_ports;
mod listen;
mod sqs;
mod verdict;
mod wire;

pub use self::{
    counts::Fault,
    faults::{DropAction, Dropped, FailEntries, FailedEntry, Faults},
    kafka_ports::KafkaPorts,
    listen::Proxy,
    wire::Protocol,
};
