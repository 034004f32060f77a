//! Clients of other services that tell each of their calls, and lose nothing.
//!
//! | client | what tells | feature |
//! |---|---|---|
//! | `redis`, any connection | [`redis::MonitoredConnection`] around it | `redis` |
//! | every client of the AWS SDK | [`aws::Monitor`], an interceptor | `aws` |
//! | `rdkafka` | [`kafka::MonitoredContext`] around its context | `kafka` |
//! | any other | [`Monitored`] around it | `clients` |
//!
//! A client is wrapped where it is made; whatever uses it stays as it was. All report to a
//! [`SharedObserver`](polling_model::SharedObserver), such as
#![cfg_attr(
    feature = "metrics",
    doc = "[`Metrics::observer`](crate::metrics::Metrics::observer)."
)]
#![cfg_attr(not(feature = "metrics"), doc = "the one of `Metrics`.")]

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "kafka")]
pub mod kafka;
mod monitored;
#[cfg(feature = "redis")]
pub mod redis;

pub use monitored::Monitored;
