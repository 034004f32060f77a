//! Consul's key-value store.
//!
//! ```no_run
//! # fn main() -> Result<(), polling_ops::config::ConsulError> {
//! use polling_ops::config::Consul;
//!
//! let consul = Consul::builder("http://127.0.0.1:8500")
//!     .prefix("polling/production")
//!     .token(std::env::var("CONSUL_HTTP_TOKEN").ok())
//!     .build()?;
//! let source = consul.source(); // for `Settings`
//! # let _ = source; Ok(())
//! # }
//! ```
//!
//! It is followed by [blocking queries](https://developer.hashicorp.com/consul/api-docs/features/blocking): a change is known as soon
//! as Consul answers, and an idle prefix costs a request each [`WAIT`].

mod client;
mod history;
mod source;

pub use self::{
    client::{CALL_DEADLINE, Check, Consul, ConsulBuilder, ConsulError, Entry},
    history::{MAX_PAST, Past},
    source::{ConsulSource, MIN_PERIOD, WAIT},
};
