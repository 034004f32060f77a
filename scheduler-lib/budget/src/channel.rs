//! The channel that everybody calls.

use std::sync::{Mutex, MutexGuard, PoisonError};

use polling_model::{ScopeKey, SharedClock};
use scheduler_lib::SharedStore;

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
    /// It knows which calls of ours are on their way.
    store: SharedStore,
    scope: ScopeKey,
}

#[derive(Debug)]
struct State {
    limit: Limit,
    meter: Meter,
}

impl Channel {
    /// One that nobody has called. Jobs that are in flight by `store` are calls of ours on their
    /// way.
    pub(crate) fn new(scenario: &Scenario, clock: SharedClock, store: SharedStore) -> Self {
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
            store,
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

    /// Drained and not settled. A store that does not answer counts as empty.
    async fn in_flight(&self) -> u64 {
        self.store
            .counts()
            .await
            .map_or(0, |counts| counts.in_flight)
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
