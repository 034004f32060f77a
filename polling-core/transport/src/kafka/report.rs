//! From librdkafka's delivery callback to the future that `publish` returns.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use polling_model::Topic;
use tokio::{sync::Notify, time::timeout};

use super::in_flight::Place;
use crate::bus::{BusError, BusErrorKind};

type Outcome = Result<(), BusError>;

/// The reports of one batch.
pub(super) struct Batch {
    state: Mutex<State>,
    complete: Notify,
}

struct State {
    outcomes: Vec<Option<Outcome>>,
    missing: usize,
}

impl Batch {
    pub(super) fn new(len: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                outcomes: vec![None; len],
                missing: len,
            }),
            complete: Notify::new(),
        })
    }

    pub(super) fn set(&self, index: usize, outcome: Outcome) {
        let mut state = self.lock();
        // The outcomes are gone once somebody gave up waiting for the last of them.
        let Some(slot) = state.outcomes.get_mut(index) else {
            return;
        };
        if slot.replace(outcome).is_none() {
            state.missing -= 1;
        }
        if state.missing == 0 {
            self.complete.notify_one();
        }
    }

    /// All reports, in the batch's order. librdkafka keeps its own deadline, so `longest` is a
    /// second fence; what is missing then is [`BusErrorKind::Timeout`].
    pub(super) async fn all(
        self: Arc<Self>,
        topics: Vec<Topic>,
        longest: Duration,
    ) -> Vec<Outcome> {
        if self.lock().missing > 0 && timeout(longest, self.complete.notified()).await.is_err() {
            tracing::error!(
                ?longest,
                "librdkafka has not kept its deadline for delivery reports"
            );
        }
        let outcomes = std::mem::take(&mut self.lock().outcomes);
        let unknown = |topic| Err(BusError::new(topic, BusErrorKind::Timeout));
        outcomes
            .into_iter()
            .zip(topics)
            .map(|(outcome, topic)| outcome.unwrap_or_else(|| unknown(topic)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is complete before anything in it can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes with an event through librdkafka, and comes back with its delivery report.
pub(super) struct Report {
    batch: Arc<Batch>,
    index: usize,
    place: Place,
}

impl Report {
    pub(super) fn new(batch: Arc<Batch>, index: usize, place: Place) -> Self {
        Self {
            batch,
            index,
            place,
        }
    }

    pub(super) fn topic(&self) -> &Topic {
        self.place.topic()
    }

    /// Sets the outcome first and then gives back the place: when nothing is in flight any more,
    /// every outcome is known.
    pub(super) fn settle(self, outcome: Outcome) {
        if outcome.is_ok() {
            self.place.in_flight().note_delivered();
        }
        self.batch.set(self.index, outcome);
    }
}
