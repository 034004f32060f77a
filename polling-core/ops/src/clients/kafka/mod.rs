//! A context for clients of `rdkafka` that tells what they do.
//!
//! ```no_run
//! use polling_ops::{clients::kafka::MonitoredContext, metrics::Metrics};
//! use rdkafka::{ClientConfig, consumer::{DefaultConsumerContext, StreamConsumer}};
//!
//! # fn run(metrics: Metrics) -> Result<(), rdkafka::error::KafkaError> {
//! let mut config = ClientConfig::new();
//! config.set("bootstrap.servers", "127.0.0.1:9092").set("group.id", "readers");
//! config.set("statistics.interval.ms", "5000"); // how often the client tells
//! let context = MonitoredContext::new(DefaultConsumerContext, "readers", metrics.observer());
//! let consumer: StreamConsumer<MonitoredContext<DefaultConsumerContext>> = config.create_with_context(context)?;
//! # Ok(())
//! # }
//! ```
//!
//! | what happens | is told as |
//! |---|---|
//! | requests to brokers, of any method | their number by type, `Produce` or `OffsetCommit`, at each statistics |
//! | round trips to brokers | `round_trip`, by the quantiles that the statistics have |
//! | requests without an answer | `failed`, with `timeout`, `transmit`, `receive` |
//! | deliveries, where a context is told of them | `deliver`, from the message's timestamp to its report |
//! | rebalances of a consumer, and commits where it is called back | `assign`, `revoke`, `rebalance`, `commit` |
//! | errors of the client itself | `client`, with a word for the error |
//!
//! `rdkafka` 0.39 calls back for no commit: `OffsetCommit` counts them. A `FutureProducer` tells its deliveries to their futures alone, and nobody serves the statistics of an `AdminClient`:
//! put [`Monitored`](super::Monitored) around them, and `producer.call_with("send", producer.send(…), …)` tells, with
//! [`error_word`] for what went wrong.

mod consumer;
mod context;
mod error;
mod statistics;

pub use consumer::ConsumerCallbacks;
pub use context::MonitoredContext;
pub use error::error_word;
