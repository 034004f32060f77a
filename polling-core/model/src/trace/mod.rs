//! The trace of a job's cycle: one for each token, derived from it.
//!
//! Nothing is stored and nothing is drawn: whoever knows a job's id and its token knows the trace
//! of that cycle, in any process, also after a crash. So the spans of scheduler and worker join
//! though neither tells the other.
//!
//! ```
//! use polling_model::{Token, trace::{TraceContext, TraceRatio}};
//!
//! let token = Token::from_wire("00000000000000a1.1.00000000000000b2")?;
//! let trace = TraceContext::of(&"posts:42".parse()?, &token);
//! let ratio = TraceRatio::new(1.0)?;
//! let carried = trace.with_sampled(ratio.keeps(trace.trace_id()));
//! let text = carried.to_traceparent();
//! assert_eq!(text.as_str(), "00-84052351e0c145a81d027ae44ef3a31c-84052351e0c145a8-03");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod context;
mod id;
mod ratio;
mod traceparent;

pub use self::{
    context::TraceContext,
    id::{SpanId, TraceId},
    ratio::{RatioError, TraceRatio},
    traceparent::{Traceparent, TraceparentError},
};

/// The target of every span that belongs to a cycle's trace. Exporters and log filters know them
/// by it; it changes only with a major version.
pub const TARGET: &str = "polling::trace";

/// The header of an event, and the attribute of a message, that carries a [`Traceparent`].
pub const HEADER: &str = "traceparent";

/// The names of the spans with [`TARGET`], and of what they say.
pub mod names {
    /// The root: from when the job was due until its end is settled. Told by the scheduler, once,
    /// when it is known how the cycle ended.
    pub const CYCLE: &str = "cycle";
    /// From when the job was due until its message was on the work queue.
    pub const DRAIN: &str = "drain";
    /// From the receipt of a completion until the store has accepted it.
    pub const SETTLE: &str = "settle";
    /// One delivery of the job to a worker. A message that is delivered twice has two.
    pub const JOB: &str = "job";
    /// From when the message was sent until it was received.
    pub const WAIT: &str = "wait";
    /// The call of the poller; its own spans are within.
    pub const POLL: &str = "poll";
    /// Handing the events to the bus, and their deliveries.
    pub const PUBLISH: &str = "publish";
    /// Storing the completion on the completed queue.
    pub const COMPLETE: &str = "complete";
    /// Deleting the message.
    pub const ACK: &str = "ack";
}

/// How a dispatch ended, as spans say in their field `outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The poll brought what it could.
    Succeeded,
    /// Put off by a rate limit or a shutdown: no failure of the job.
    PutOff,
    /// The channel answered with an error.
    Failed,
    /// A panic, a hang, events that were not delivered, a completion that was not stored.
    Bug,
    /// No worker finished it.
    DeadLetter,
}

impl Ending {
    /// Every way, in order.
    pub const ALL: [Self; 5] = [
        Self::Succeeded,
        Self::PutOff,
        Self::Failed,
        Self::Bug,
        Self::DeadLetter,
    ];

    /// The end that a completion tells.
    #[must_use]
    pub const fn of<C>(outcome: &crate::Outcome<C>) -> Self {
        match outcome.failure() {
            None => Self::Succeeded,
            Some(failure) if failure.class.is_failure() => Self::Failed,
            Some(_) => Self::PutOff,
        }
    }

    /// Whether a trace is worth keeping for it alone.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Bug | Self::DeadLetter)
    }

    /// Its name in spans.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::PutOff => "put_off",
            Self::Failed => "failed",
            Self::Bug => "bug",
            Self::DeadLetter => "dead_letter",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}
