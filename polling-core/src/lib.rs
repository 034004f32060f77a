//! Write a polling worker: a poll function, and Tower layers for everything else.
//!
//! A worker receives jobs from work queues, calls your [`Poller`] for each, publishes the events
//! that it found, stores the completion from which the scheduler plans the next poll, and only
//! then acknowledges the job. This is a whole one, in memory:
//!
//! ```
//! use std::sync::Arc;
//!
//! use polling_core::{
//!     Event, PollError, Polled, SystemClock, Topic, Worker, poller_fn,
//!     transport::memory::{MemoryBus, MemoryQueue},
//! };
//! # use polling_core::{Queue as _, model};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = Arc::new(SystemClock);
//! let work = MemoryQueue::builder("mastodon-posts", clock.clone()).build();
//! let completed = MemoryQueue::builder("mastodon-completed", clock).build();
//! let bus = MemoryBus::new();
//! # let now_ms = model::Clock::now_ms(&SystemClock);
//! # let job = model::Job {
//! #     id: "posts:42".parse()?, channel: "mastodon".parse()?, job_type: "posts".parse()?,
//! #     account: "42".parse()?, level: "gold".parse()?,
//! #     token: model::Token::from_wire("00000000000000a1.1.00000000000000b2")?,
//! #     due_ms: now_ms, not_after_ms: now_ms + 600_000, context: model::Context::new(),
//! # };
//! # work.send(vec![model::wire::encode_job(&job)?]).await;
//!
//! let topic = Topic::new("posts")?;
//! let posts = topic.clone();
//! let poller = poller_fn(move |job| {
//!     let topic = posts.clone();
//!     async move {
//!         let mut context = job.context.clone();
//!         let last = context.get_i64("last").unwrap_or(0);
//!         // Here goes the call of the channel's API, for what is newer than `last`.
//!         context.insert("last", last + 1);
//!         let event = Event::new(topic, format!("post-{last}"), "hello", job.due_ms);
//!         Ok(Polled::new(context).with_event(event))
//!     }
//! });
//! let worker = Worker::builder()
//!     .work(work.clone())
//!     .completed(completed.clone())
//!     .bus(Arc::new(bus.clone()))
//!     .poller(poller)
//!     .build()?;
//!
//! let report = worker.run(async {
//!     // In production: until SIGTERM. Here: until the first event is there.
//!     bus.receive(&topic, 1).await;
//! }).await;
//! assert_eq!((report.polled, report.bugs), (1, 0));
//! # assert_eq!(work.messages().len(), 0);
//! # assert_eq!(completed.messages().len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Order of the layers
//!
//! Outermost first. The builder fixes it, because effects must not be reordered by accident; yours
//! go between `Timeout` and the poller, with [`WorkerBuilder::layer`].
//!
//! | layer | request → response | does |
//! |---|---|---|
//! | [`ack::AckLayer`] | [`Delivery`] → `()` | decodes; drops what is late; deletes the message after success |
//! | [`complete::CompleteLayer`] | [`Job`] → [`Completion`] | stores how the poll ended, success or API error |
//! | [`catch_panic::CatchPanicLayer`] | [`Job`] → [`publish::Published`] | a panic costs one job, not the worker |
//! | [`publish::PublishLayer`] | [`Job`] → [`publish::Published`] | publishes the events, throttled; waits for delivery |
//! | [`rate_limit::RateLimitLayer`] | [`Job`] → [`Polled`] | paces calls per scope; minds what the channel reported |
//! | [`timeout::TimeoutLayer`] | [`Job`] → [`Polled`] | the poll's own deadline |
//! | [`adapt::AdaptLayer`] | [`Job`] → [`Polled`] | awaits the readiness of what is within |
//! | yours | [`Job`] → [`Polled`] | anything that is a [`tower::Layer`] |
//! | [`Poller`] | [`Job`] → [`Polled`] | calls the channel |
//!
//! An API error, a [`PollError`], is completed: the scheduler decides by its class when to poll
//! again. Anything else (a panic, an event that was not delivered, a layer's own error) is a bug:
//! not completed, delivered again after the visibility timeout, and on the dead-letter queue in
//! the end. What makes a message come twice is harmless: events carry the same ids, and a
//! completion counts once.
//!
//! # For what a poll needs
//!
//! | module | for |
//! |---|---|
//! | [`typed`] | contexts as types of your own, which change from version to version |
//! | [`paging`] | pages and bursts of which nothing is skipped: cursors, budgets, filters |
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `sqs` | work queues on Amazon SQS |
//! | `redis`, `redis-tls` | work queues on Redis Streams; TLS for them |
//! | `kafka` | events to Apache Kafka; builds a C library |
//! | `kafka-tls` | the same with TLS and SASL |
//! | `http` | [`http`]: calls that mind limits, deadlines and private addresses |
//! | `http-dialect` | [`http::dialect`]: rate limits read from headers; pure |
//! | `auth` | [`auth`]: access tokens, refreshed by one worker for all |
//! | `auth-redis`, `auth-redis-tls` | the same, shared in a Redis, over TLS |
//! | `auth-sealed` | and encrypted there |
//! | `full` | all queues and buses |
//! | `test-util` | [`test_util`]: a test kit for pollers |

pub mod ack;
pub mod adapt;
mod alarms;
#[cfg(feature = "auth")]
pub mod auth;
mod backoff;
pub mod caps;
pub mod catch_panic;
pub mod complete;
mod deadline;
mod delivery;
pub mod error;
mod heartbeat;
#[cfg(doctest)]
mod how_to;
#[cfg(feature = "http-dialect")]
pub mod http;
mod job;
mod keeper;
pub mod paging;
mod poll_error;
mod polled;
mod poller;
pub mod publish;
pub mod rate_limit;
mod spans;
mod suspects;
#[cfg(feature = "test-util")]
pub mod test_util;
mod time;
pub mod timeout;
pub mod typed;
pub mod worker;

pub use polling_model as model;
#[doc(no_inline)]
pub use polling_model::{
    AccountId, Allowance, ChannelId, Clock, Completion, Context, ErrorClass, ErrorCode, Event,
    EventEnvelope, EventId, Generator, JobId, JobType, ManualClock, Observation, Observer, Outcome,
    ScopeKey, ServiceLevel, SharedClock, SharedObserver, SystemClock, Topic,
};
pub use polling_transport as transport;
#[doc(no_inline)]
pub use polling_transport::{
    BusError, Deliveries, EventBus, Queue, QueueError, SharedBus, SharedQueue, TokioClock,
};
pub use tower::BoxError;

pub use self::{
    delivery::Delivery,
    error::{CallError, CompleteError, PublishError},
    job::Job,
    keeper::Keeper,
    poll_error::PollError,
    polled::Polled,
    poller::{Poller, PollerFn, PollerService, poller_fn},
    worker::{Report, Worker, WorkerBuilder, WorkerConfig},
};

/// Runs the fences of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
