//! The channel that everybody calls.

use std::sync::{Mutex, MutexGuard, PoisonError};

use polling_model::{ScopeKey, SharedClock};
use polling_transport::SharedQueue;

use crate::{
    limit::{Answer, Limit},
    meter::{Caller, Meter},
    scenario::Scenario,
};

/// A shared limit, and a meter on it.
#[derive(Debug)]
pub(crate) struct Channel {
    state: Mutex<State>,
    clock: SharedClock,
    /// Where calls of ours are on their way.
    queues: [SharedQueue; 2],
    scope: ScopeKey,
}

#[derive(Debug)]
struct State {
    limit: Limit,
    meter: Meter,
}

impl Channel {
    /// One that nobody has called. What is in `queues`, the work queue and the completed queue, are
    /// calls of ours on their way.
    pub(crate) fn new(scenario: &Scenario, clock: SharedClock, queues: [SharedQueue; 2]) -> Self {
        let state = State {
            limit: Limit::new(
                scenario.limit,
                scenario.window_ms,
                scenario.window_offset_ms(),
            ),
            meter: Meter::new(scenario),
        };
        Self {
            state: Mutex::new(state),
            clock,
            queues,
            scope: ScopeKey::new("app").expect("app is a valid scope"),
        }
    }

    /// One call.
    pub(crate) async fn call(&self, caller: Caller) -> Answer {
        let now_ms = self.clock.now_ms();
        let (answer, first) = {
            let mut state = self.state();
            let answer = state.limit.call(now_ms);
            let first = state.meter.take_down(now_ms, caller, &answer);
            (answer, first)
        };
        if first {
            let in_flight = self.in_flight().await;
            self.state().meter.in_flight(now_ms, in_flight);
        }
        answer
    }

    /// Sent to the workers, and their completions not settled. A queue that does not answer counts
    /// as empty.
    async fn in_flight(&self) -> u64 {
        let mut calls = 0;
        for queue in &self.queues {
            let stats = queue.stats().await.unwrap_or_default();
            calls += stats.visible + stats.in_flight;
        }
        calls
    }

    /// Who shares the limit: everybody.
    pub(crate) const fn scope(&self) -> &ScopeKey {
        &self.scope
    }

    /// What it has seen.
    pub(crate) fn meter(&self) -> Meter {
        self.state().meter.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A call that panics half-way is a failed run.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
