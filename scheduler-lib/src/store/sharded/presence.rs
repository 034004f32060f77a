//! Which shards take their turns.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::{SlotStore, StoreError};

/// How long a shard that failed is left alone before it is asked whether it is well.
const ASK_EVERY_MS: i64 = 1_000;

/// Whether a shard takes its turns: not after it failed, until a check of it has succeeded. So a
/// server that does not answer costs each of them one deadline, not one each turn.
#[derive(Default)]
pub(super) struct Presence(Mutex<State>);

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Present,
    Absent {
        since_ms: i64,
    },
    Asked,
}

impl Presence {
    pub(super) fn is_present(&self) -> bool {
        *self.state() == State::Present
    }

    /// It answered.
    pub(super) fn came(&self) {
        *self.state() = State::Present;
    }

    /// It failed.
    pub(super) fn left(&self, shard: usize, error: &StoreError, now_ms: i64) {
        tracing::warn!(
            shard,
            error = polling_model::chain(error),
            "a shard fails: the others go on without it"
        );
        *self.state() = State::Absent { since_ms: now_ms };
    }

    /// Asks a shard that has been absent for a while whether it is well, beside the turns.
    pub(super) fn ask<S: SlotStore + ?Sized + 'static>(
        self: &Arc<Self>,
        shard: usize,
        store: &Arc<S>,
        now_ms: i64,
    ) {
        let mut state = self.state();
        let State::Absent { since_ms } = *state else {
            return;
        };
        // A clock that went back has to catch up with nothing.
        if (0..ASK_EVERY_MS).contains(&(now_ms - since_ms)) {
            return;
        }
        *state = State::Asked;
        let (presence, store) = (Arc::clone(self), Arc::clone(store));
        // Ends with the store's own deadline.
        tokio::spawn(async move {
            let well = store.check().await;
            let mut state = presence.state();
            match well {
                Ok(()) => {
                    tracing::info!(shard, "a shard is well again");
                    *state = State::Present;
                }
                Err(error) => {
                    tracing::warn!(
                        shard,
                        error = polling_model::chain(&error),
                        "a shard still fails"
                    );
                    *state = State::Absent { since_ms: now_ms };
                }
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Replaced as a whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
