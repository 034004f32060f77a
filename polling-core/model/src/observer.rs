//! What the ports and the loops report. Exporters of metrics implement [`Observer`]; everybody
//! else calls it. Labels are names of few values, never ids of jobs or accounts.

use std::{fmt, sync::Arc, time::Duration};

use crate::{ChannelId, ErrorClass, JobType, ServiceLevel};

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
    /// A message was received that had been received before.
    Redelivered {
        /// Which queue: `work`, `completed`.
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
    /// A call to a port or of a client ended, or was given up; told by who meters it.
    Called {
        /// `queue`, `bus`, `store`, or the kind of client.
        port: &'static str,
        /// Which: the queue's name, or what the bus, the store or the client was called.
        name: &'a str,
        /// The method; of few that there are.
        operation: &'a str,
        /// The kind of its error, if it had one; `cancelled` when nobody awaited its end.
        error: Option<&'static str>,
        /// How long it took.
        elapsed: Duration,
    },
    /// A client told how many requests it sent, or what else it did, without telling how long each took.
    Sent {
        /// The kind of client.
        port: &'static str,
        /// What the client was called.
        name: &'a str,
        /// The kind of request; of few that there are.
        operation: &'a str,
        /// The kind of their error, if they had one.
        error: Option<&'static str>,
        /// How many.
        requests: usize,
    },
    /// A server answered a call over HTTP or gRPC, or a client was answered one.
    Answered {
        /// `server`, `client`.
        side: &'static str,
        /// `http`, `grpc`.
        system: &'static str,
        /// The method of HTTP; empty for gRPC.
        method: &'static str,
        /// The route's template, or the service and method of gRPC; of few that there are, or empty if unknown.
        route: &'a str,
        /// The status code of HTTP, or the name of gRPC's; empty without an answer.
        status: &'a str,
        /// What kind of failure it was, if it was one; `cancelled` when nobody awaited its end.
        error: Option<&'a str>,
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
    /// Jobs were placed later than their rules ask, since a rate limit left no call for them.
    Postponed {
        /// The channel.
        channel: &'a ChannelId,
        /// How many.
        jobs: usize,
        /// `drain`, which was in vain; `settle`, as the poll before had ended.
        at: &'static str,
        /// `cushion`, `exhausted`, `paced`, `price`, `refused`.
        by: &'static str,
    },
    /// A completion was read, whatever it changes.
    Completed {
        /// The channel.
        channel: &'a ChannelId,
        /// The kind of job.
        job_type: &'a JobType,
        /// Calls to the channel that its poll made.
        calls: u32,
    },
    /// A completion was read whose calls count in a rate-limit scope of its job type's rules.
    ScopeUsed {
        /// The channel.
        channel: &'a ChannelId,
        /// The scope as the rules write it, `account:{account}`: never what it is called for a job.
        scope: &'a str,
        /// How much of the limit was used up.
        used: u64,
        /// The share that is left of its tightest window, if one is known: 0 to 1.
        left: Option<f64>,
    },
    /// A completion or a dead letter was settled.
    Settled {
        /// The channel.
        channel: &'a ChannelId,
        /// `accepted`, or why it changed nothing: `stale`, `unknown`, `other_incarnation`.
        verdict: &'static str,
        /// `ok`, the class of its error, or `dead_letter`.
        outcome: &'static str,
    },
    /// Events of a poll were published, and its completion was accepted. Not told of a job's first
    /// poll, which finds what was there before the job.
    Published {
        /// The channel.
        channel: &'a ChannelId,
        /// What the account's owner pays for.
        level: &'a ServiceLevel,
        /// When they came to be at their source, UTC milliseconds, oldest first.
        created_ms: &'a [i64],
        /// Events beyond those, which are older than any of them.
        older: u64,
        /// When all of them were delivered, UTC milliseconds.
        published_ms: i64,
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
