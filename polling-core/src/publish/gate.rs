//! No more jobs while the bus is away.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use super::Published;
use crate::{BusError, SharedBus, Topic, backoff::Backoff, caps, transport::BusErrorKind};

/// Closed by an event that the bus did not take or report. Once the bus answers again, jobs pass
/// one at a time until events of one were delivered: a broker that starts answers questions long
/// before it takes events.
///
/// A job whose events are not delivered is delivered again, and after a few times it is a dead
/// letter. Were jobs received while the bus is away, an outage of minutes would send every job with
/// news to the dead-letter queue, and an outage of an hour all of them into quarantine. So what is
/// not under way yet waits in its queue.
#[derive(Clone)]
pub(crate) struct Gate {
    bus: SharedBus,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Clone)]
enum State {
    Open,
    /// By an event of this topic.
    Closed(Topic),
    /// The bus answers; whether it takes events is to be seen.
    Trial {
        /// One permit, for the one job that may try. Closed when the trial is over.
        turn: Arc<Semaphore>,
        /// After so many jobs more it opens anyway: that few have events, or none.
        jobs_left: u32,
    },
}

/// The one job that tries whether the bus takes events. Others wait until it is dropped.
pub(crate) struct Trial {
    gate: Gate,
    turn: OwnedSemaphorePermit,
}

impl Gate {
    pub(crate) fn new(bus: SharedBus) -> Self {
        Self {
            bus,
            state: Arc::new(Mutex::new(State::Open)),
        }
    }

    /// Learns from how publishing ended.
    pub(crate) fn published(&self, outcome: &Result<Published, BusError>) {
        match outcome {
            Ok(published) if published.events > 0 => self.delivered(),
            Ok(_) => {}
            // What is refused or missing is not the bus's fault. It waits for an operator, and must
            // not hold up jobs with other topics.
            Err(error) => {
                let away = [BusErrorKind::Timeout, BusErrorKind::Unreachable];
                if away.contains(&error.kind) {
                    self.lock().turn_into(State::Closed(error.topic.clone()));
                }
            }
        }
    }

    /// Until a job may be received. While it is not known whether the bus takes events, the job is
    /// this trial. `backoff` paces what one caller asks the bus.
    pub(crate) async fn pass(&self, backoff: &mut Backoff) -> Option<Trial> {
        loop {
            let state = self.lock().clone();
            match state {
                State::Open => {
                    backoff.reset();
                    return None;
                }
                State::Closed(topic) => self.ask(&topic, backoff.next()).await,
                State::Trial { turn, .. } => {
                    // Without a turn the trial is over.
                    if let Ok(turn) = turn.acquire_owned().await {
                        let gate = self.clone();
                        return Some(Trial { gate, turn });
                    }
                }
            }
        }
    }

    /// After `pause`, whether the bus answers.
    async fn ask(&self, topic: &Topic, pause: Duration) {
        tracing::warn!(%topic, ?pause, "the bus does not take events: no jobs are received");
        sleep(pause).await;
        let checked = timeout(caps::CHECK_TIMEOUT, self.bus.check_topic(topic)).await;
        let answers = checked.is_ok_and(|checked| {
            checked.map_or_else(|error| error.kind != BusErrorKind::Unreachable, |()| true)
        });
        let mut state = self.lock();
        if answers && matches!(*state, State::Closed(_)) {
            state.turn_into(State::trial());
        }
    }

    fn delivered(&self) {
        let mut state = self.lock();
        if matches!(*state, State::Trial { .. }) {
            state.turn_into(State::Open);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // One assignment cannot be left half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn trial() -> Self {
        Self::Trial {
            turn: Arc::new(Semaphore::new(1)),
            jobs_left: caps::BUS_TRIALS,
        }
    }

    /// Wakes those who wait for a turn, too.
    fn turn_into(&mut self, next: Self) {
        if let Self::Trial { turn, .. } = self {
            turn.close();
        }
        *self = next;
    }
}

impl Trial {
    /// The job ended. Had its events been delivered, or not, the trial would be over.
    pub(crate) fn ended(self) {
        let mut state = self.gate.lock();
        match &mut *state {
            State::Trial { turn, jobs_left } if Arc::ptr_eq(turn, self.turn.semaphore()) => {
                *jobs_left -= 1;
                if *jobs_left == 0 {
                    state.turn_into(State::Open);
                }
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = &*self.lock();
        f.debug_struct("Gate")
            .field("state", state)
            .finish_non_exhaustive()
    }
}
