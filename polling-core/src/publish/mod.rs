//! What a poll found goes to the event bus.

mod batch;
mod future;
mod gate;
mod service;
mod throttle;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use tower::Layer;

pub use self::{future::ResponseFuture, service::Publish};
pub(crate) use self::{
    gate::{Gate, Trial},
    throttle::Throttle,
};
use crate::{Allowance, Context, EventId, PollError, Polled, SharedBus, SharedObserver};

/// A poll whose events are delivered.
#[derive(Debug)]
pub struct Published {
    /// Events delivered.
    pub events: u64,
    /// When the items of those events came to be at their source, UTC milliseconds, in the order
    /// of publishing.
    pub created_ms: Vec<i64>,
    /// For the next poll.
    pub context: Context,
    /// What the channel said about its rate limits.
    pub allowances: Vec<Allowance>,
    /// There was more than this poll could fetch.
    pub saturated: bool,
    /// The error that ended paging early.
    pub stopped: Option<PollError>,
    /// Calls to the channel, as the poll told them.
    pub calls: u32,
    /// Events that can never be published, if there were any.
    pub refused: Option<Refused>,
}

impl Published {
    /// A poll whose events are left out.
    fn without_events(polled: Polled) -> Self {
        Self {
            events: 0,
            created_ms: Vec::new(),
            context: polled.context,
            allowances: polled.allowances,
            saturated: polled.saturated,
            stopped: polled.stopped,
            calls: polled.calls,
            refused: None,
        }
    }
}

/// Events that can never be published. They are reported on the job, so that nothing is lost in
/// silence; the job goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub events: u64,
    /// What was wrong with the first of them.
    pub reason: Reason,
}

/// Why an event can never be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The event breaks a rule of its own.
    #[error(transparent)]
    Invalid(#[from] crate::model::EventError),
    /// The bus takes none so large.
    #[error("event {id} is larger than the bus takes: raise the bus's bound or shrink the event")]
    TooLarge {
        /// Which event.
        id: EventId,
    },
}

impl Reason {
    /// The code of the failure reported on the job.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        use crate::model::EventError;
        match self {
            Self::TooLarge { .. } | Self::Invalid(EventError::TooLarge { .. }) => "event_too_large",
            Self::Invalid(_) => "event_invalid",
        }
    }
}

/// Bounds of publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishLimits {
    /// Most events per second, over all jobs.
    pub rate: NonZeroU32,
    /// Most events at once, over all jobs.
    pub burst: NonZeroU32,
    /// Longest time that publishing one poll's events may take.
    pub timeout: Duration,
    /// What must be left of the job's time afterwards, to store its completion.
    pub reserve: Duration,
}

/// Puts [`Publish`] around a service. All services of one layer, and their clones, share one
/// throttle.
#[derive(Debug, Clone)]
pub struct PublishLayer {
    bus: SharedBus,
    observer: SharedObserver,
    throttle: Throttle,
    limits: PublishLimits,
    gate: Gate,
}

impl PublishLayer {
    /// Publishes to `bus` within `limits`.
    #[must_use]
    pub fn new(bus: SharedBus, observer: SharedObserver, limits: PublishLimits) -> Self {
        Self {
            gate: Gate::new(bus.clone()),
            bus,
            observer,
            throttle: Throttle::new(limits.rate, limits.burst),
            limits,
        }
    }

    /// What all its services wait for.
    pub(crate) fn throttle(&self) -> Throttle {
        self.throttle.clone()
    }

    /// What closes when the bus is away.
    pub(crate) fn gate(&self) -> Gate {
        self.gate.clone()
    }
}

impl<S> Layer<S> for PublishLayer {
    type Service = Publish<S>;

    fn layer(&self, inner: S) -> Publish<S> {
        Publish::new(inner, Arc::new(self.clone()))
    }
}
