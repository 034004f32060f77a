//! What a worker did.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{Observation, Observer, SharedObserver};

/// What a worker did from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Report {
    /// Messages received.
    pub received: u64,
    /// Polls that ended, with an API error or without.
    pub polled: u64,
    /// Those that ended with an API error, or were stopped early by one.
    pub errors: u64,
    /// Events that polls brought; delivered, unless `bugs` says otherwise.
    pub events: u64,
    /// Polls that did not end as a poll should, hangs included.
    pub bugs: u64,
    /// Messages dropped without polling, because too little of their time was left.
    pub dropped_late: u64,
    /// Messages left to redelivery because they cannot be decoded.
    pub undecodable: u64,
    /// Messages that were not deleted although their outcome is stored.
    pub ack_failed: u64,
    /// Jobs that were under way when the grace ended, and whose messages were given back.
    pub given_back: u64,
    /// Whether the bus delivered all that it had taken, by the end.
    pub flushed: bool,
}

/// Counts for the report, and passes everything on.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    counts: Arc<Counts>,
    next: SharedObserver,
}

#[derive(Debug, Default)]
struct Counts {
    polled: AtomicU64,
    errors: AtomicU64,
    events: AtomicU64,
    bugs: AtomicU64,
    dropped_late: AtomicU64,
    undecodable: AtomicU64,
    ack_failed: AtomicU64,
}

impl Tally {
    pub(super) fn new(next: SharedObserver) -> Self {
        Self {
            counts: Arc::default(),
            next,
        }
    }

    pub(super) fn report(&self, received: u64, given_back: u64, flushed: bool) -> Report {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = &*self.counts;
        Report {
            received,
            polled: count(&counts.polled),
            errors: count(&counts.errors),
            events: count(&counts.events),
            bugs: count(&counts.bugs),
            dropped_late: count(&counts.dropped_late),
            undecodable: count(&counts.undecodable),
            ack_failed: count(&counts.ack_failed),
            given_back,
            flushed,
        }
    }
}

impl Observer for Tally {
    fn observe(&self, observation: Observation<'_>) {
        let add = |counter: &AtomicU64, by: u64| {
            counter.fetch_add(by, Ordering::Relaxed);
        };
        let counts = &*self.counts;
        match observation {
            Observation::Polled { error, events, .. } => {
                add(&counts.polled, 1);
                add(&counts.errors, u64::from(error.is_some()));
                add(&counts.events, events as u64);
            }
            Observation::Bug { .. } => add(&counts.bugs, 1),
            Observation::DroppedLate { .. } => add(&counts.dropped_late, 1),
            Observation::Undecodable { .. } => add(&counts.undecodable, 1),
            Observation::AckFailed => add(&counts.ack_failed, 1),
            _ => {}
        }
        self.next.observe(observation);
    }
}
