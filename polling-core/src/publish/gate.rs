//! No more jobs while the bus is away.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::{sleep, timeout};

use crate::{
    BusError, Generator, SharedBus, Topic, backoff::Backoff, caps, transport::BusErrorKind,
};

/// Closed by an event that the bus did not take or report, opened when the bus answers again.
///
/// A job whose events are not delivered is delivered again, and after a few times it is a dead
/// letter. Were jobs received while the bus is away, an outage of minutes would send every job with
/// news to the dead-letter queue, and an outage of an hour all of them into quarantine. So what is
/// not under way yet waits in its queue.
#[derive(Clone)]
pub(crate) struct Gate {
    bus: SharedBus,
    /// The topic that failed; `None` while the gate is open.
    closed: Arc<Mutex<Option<Topic>>>,
}

impl Gate {
    pub(crate) fn new(bus: SharedBus) -> Self {
        Self {
            bus,
            closed: Arc::default(),
        }
    }

    /// Closes it, unless the error is not the bus's: what is refused or missing waits for an
    /// operator, and must not hold up jobs with other topics.
    pub(crate) fn publishing_failed(&self, error: &BusError) {
        if matches!(
            error.kind,
            BusErrorKind::Timeout | BusErrorKind::Unreachable
        ) {
            *self.lock() = Some(error.topic.clone());
        }
    }

    /// Returns at once while the gate is open, otherwise when the bus has answered.
    pub(crate) async fn opened(&self, generator: &Generator) {
        let mut backoff = Backoff::new(generator.clone(), caps::RECEIVE_BACKOFF);
        while let Some(topic) = self.closed_by() {
            let pause = backoff.next();
            tracing::warn!(%topic, ?pause, "the bus does not take events: no jobs are received");
            sleep(pause).await;
            let checked = timeout(caps::CHECK_TIMEOUT, self.bus.check_topic(&topic)).await;
            let Ok(checked) = checked else {
                continue;
            };
            let away = checked.is_err_and(|error| error.kind == BusErrorKind::Unreachable);
            if !away {
                *self.lock() = None;
            }
        }
    }

    fn closed_by(&self) -> Option<Topic> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Topic>> {
        // One assignment cannot be left half-way.
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("closed_by", &self.closed_by())
            .finish_non_exhaustive()
    }
}
