//! The nouns of universal polling: jobs, tokens, completions, slots, events and the wire format
//! they travel in. No async and no I/O, so that every other crate may depend on it without fear.
//!
//! A job is one API endpoint of one channel for one account. The scheduler sends it to a worker as
//! a message, and the worker answers with a completion:
//!
//! ```
//! use polling_model::{Completion, Context, Job, JobId, Outcome, Token, wire};
//!
//! let job: Job = Job {
//!     id: "posts:42".parse()?,
//!     channel: "mastodon".parse()?,
//!     job_type: "posts".parse()?,
//!     account: "42".parse()?,
//!     level: "gold".parse()?,
//!     token: Token::from_wire("00000000000000a1.1.00000000000000b2")?,
//!     due_ms: 60_000,
//!     not_after_ms: 180_000,
//!     context: Context::from_iter([("since_id", 7.into())]),
//! };
//! let message = wire::encode_job(&job)?;
//! assert!(message.is_ascii());
//! assert_eq!(wire::decode_job::<Context>(message.as_bytes())?, job);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | subject |
//! |---|---|
//! | [`caps`] | every limit, by name |
//! | [`wire`] | the versioned, ASCII-safe encoding of jobs and completions |
//! | [`slot`] | the ring of 1440 slots |
//! | [`clock`] | time and randomness as values |
//! | [`observer`] | what the ports and loops report |
//! | [`trace`] | the trace of a cycle, derived from its token |
//! | [`kill_point`] | where tests end a process |

pub mod caps;
mod chain;
pub mod clock;
mod completion;
mod context;
mod created;
mod error_class;
mod event;
mod generator;
mod id;
mod job;
pub mod kill_point;
pub mod observer;
mod rate_limit;
pub mod slot;
mod token;
pub mod trace;
pub mod wire;

pub use chain::chain;
pub use clock::{Clock, ManualClock, SharedClock, SystemClock};
pub use completion::{Completion, Failure, Outcome};
pub use context::{Context, ContextError, EncodedContext};
pub use error_class::ErrorClass;
pub use event::{Event, EventEnvelope, EventError, EventId, headers as event_headers};
pub use generator::Generator;
pub use id::{
    AccountId, ChannelId, ErrorCode, IdError, JobId, JobType, ScopeKey, ServiceLevel, Topic,
};
pub use job::Job;
pub use kill_point::KillPoint;
pub use observer::{Observation, Observer, SharedObserver};
pub use rate_limit::Allowance;
pub use slot::{AbsoluteSlot, SlotRing};
pub use token::{Incarnation, Nonce, Token, TokenError};
pub use trace::{TraceContext, TraceRatio};
