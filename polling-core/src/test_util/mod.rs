//! For tests of a poller: one job through the whole stack, a channel that does as it is told, and
//! the contract that every poller keeps. With the feature `test-util`.
//!
//! ```
//! use polling_core::{Event, Polled, Topic, poller_fn, test_util::Rig};
//!
//! // In a test: #[tokio::test(start_paused = true)]
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let poller = poller_fn(|job| async move {
//!     let mut context = job.context.clone();
//!     let next = context.get_i64("last").unwrap_or(0) + 1;
//!     context.insert("last", next);
//!     let topic = Topic::new("posts").expect("it is a valid topic");
//!     Ok(Polled::new(context).with_event(Event::new(topic, next.to_string(), "hello", job.due_ms)))
//! });
//! let mut rig = Rig::new(poller);
//! rig.poll().await.assert_published(["1"]);
//! rig.poll().await.assert_published(["2"]);
//! assert_eq!(rig.context().get_i64("last"), Some(2));
//! # }
//! ```
//!
//! | | |
//! |---|---|
//! | [`Rig`] | polls one job again and again as the scheduler would, through all layers, in memory |
//! | [`FakeChannel`] | an HTTP server on the loopback interface whose answers are a function: limits, errors, latency, broken and huge bodies |
//! | [`contract`] | what every poller must do: repeats publish the same events, bursts skip nothing, limits are told, it may be dropped at any await |
//!
//! Tests run under paused time: hours pass at once, and exactly. While a [`FakeChannel`] is up,
//! time does not jump but runs, a hundred times as fast as it should: see there.

pub mod contract;
mod fake_channel;
mod limit;
mod reply;
mod request;
mod rig;
mod run;

pub use self::{
    fake_channel::FakeChannel, limit::Limit, reply::Reply, request::Request, rig::Rig, run::Run,
};
use crate::{SharedClock, TokioClock};

/// When a [`Rig`] and a [`Limit`] begin, UTC milliseconds: in November 2023.
pub const START_MS: i64 = 1_700_000_000_000;

/// A clock that shows [`START_MS`] now and moves with Tokio's time.
fn clock() -> SharedClock {
    std::sync::Arc::new(TokioClock::starting_at(START_MS))
}
