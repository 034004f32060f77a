//! What the ports and the loops report. Exporters of metrics implement [`Observer`]; everybody
//! else calls it. Labels are names of few values, never ids of jobs or accounts.

use std::{fmt, sync::Arc, time::Duration};

use crate::{ChannelId, ErrorClass, JobType};

/// Takes observations. Called on the job's path: return fast, never block.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn observe(&self, observation: Observation<'_>);
}

/// An observer that many tasks share.
pub type SharedObserver = Arc<dyn Observer>;

/// Observes nothing.
impl Observer for () {
    fn observe(&self, _: Observation<'_>) {}
}

impl<F: Fn(Observation<'_>) + Send + Sync> Observer for F {
    fn observe(&self, observation: Observation<'_>) {
        self(observation);
    }
}

impl fmt::Debug for dyn Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// One thing that happened.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Observation<'a> {
    /// A worker's poll ended.
    Polled {
        /// The kind of job.
        job_type: &'a JobType,
        /// The class of its error, if it had one.
        error: Option<ErrorClass>,
        /// Events it brought.
        events: usize,
        /// How long it took.
        elapsed: Duration,
    },
    /// A poll did not end as a poll should; the message will be delivered again.
    Bug {
        /// The kind of job.
        job_type: &'a JobType,
        /// `panic`, `hang`, `publish`, `middleware`.
        kind: &'static str,
    },
    /// A message was dropped without polling, past its `not_after`.
    DroppedLate {
        /// The kind of job.
        job_type: &'a JobType,
    },
    /// A message could not be decoded, and was left to redelivery.
    Undecodable {
        /// Which queue: `work`, `completed`, `dead_letter`.
        queue: &'static str,
    },
    /// A queue's server was asked by one request: what such servers charge for.
    Requested {
        /// The queue's name.
        queue: &'a str,
        /// `send`, `receive`, `delete`, `extend`, `stats`.
        call: &'static str,
        /// Messages that it sent, received, deleted or extended together.
        messages: usize,
    },
    /// A call to a port ended, or was given up; told by who meters it.
    Called {
        /// `queue`, `bus`, `store`.
        port: &'static str,
        /// Which: the queue's name, or what the bus or the store was called.
        name: &'a str,
        /// The method.
        operation: &'static str,
        /// The kind of its error, if it had one; `cancelled` when nobody awaited its end.
        error: Option<&'static str>,
        /// How long it took.
        elapsed: Duration,
    },
    /// Publishing waited for its throttle or for the bus.
    PublishThrottled {
        /// How long.
        waited: Duration,
    },
    /// A message was not acknowledged although its outcome is stored; its repeat changes nothing.
    AckFailed,
    /// Jobs were taken out of the due slot.
    Drained {
        /// The channel.
        channel: &'a ChannelId,
        /// How many.
        jobs: usize,
        /// The most that one of them is late, milliseconds.
        lateness_ms: i64,
    },
    /// Drained jobs got no call within their rate limits, and were placed anew.
    Postponed {
        /// The channel.
        channel: &'a ChannelId,
        /// How many.
        jobs: usize,
    },
    /// A completion was settled.
    Settled {
        /// The channel.
        channel: &'a ChannelId,
        /// `accepted`, or why it changed nothing: `stale`, `unknown`, `other_incarnation`.
        verdict: &'static str,
        /// The class of its error, if it had one.
        error: Option<ErrorClass>,
    },
    /// Jobs in flight past their deadline were placed anew.
    Reaped {
        /// The channel.
        channel: &'a ChannelId,
        /// How many.
        jobs: usize,
    },
    /// Entries of a note past its deadline were sent again.
    Resent {
        /// The channel.
        channel: &'a ChannelId,
        /// How many.
        jobs: usize,
    },
    /// The sweep mended the place of jobs. 0 in a run without faults.
    Repaired {
        /// The channel.
        channel: &'a ChannelId,
        /// How many.
        jobs: usize,
    },
    /// Jobs were held, by a rule or since their message was refused.
    Held {
        /// The channel.
        channel: &'a ChannelId,
        /// How many.
        jobs: usize,
        /// `paused`, `parked`, `refused`.
        hold: &'static str,
    },
}
