//! Polls that found more than they could fetch.

use polling_model::Outcome;

use super::{Cycle, settle::Ending};
use crate::{
    policy::SATURATED,
    store::{Burst, JobState, Next},
};

impl Cycle {
    /// The burst that a dispatch ended with, if it did, of a job that was in this state and is placed next.
    pub(super) fn burst(&self, ending: &Ending, state: &JobState, next: Next) -> Option<Burst> {
        let completion = ending.completion.as_ref()?;
        let succeeded = matches!(completion.outcome, Outcome::Succeeded { .. });
        if !(succeeded && completion.saturated) {
            return None;
        }
        let before = &state.reasons;
        let bursts = before.iter().filter(|one| one.text.starts_with(SATURATED));
        tracing::info!(
            channel = %self.channel.id, job = %ending.id, account = %state.account,
            events = completion.events, bursts_before = bursts.count(), placements = before.len(),
            "a poll found more than it could fetch"
        );
        let at_ms = self.clock.now_ms();
        let polled_before = state.settled_ms > 0;
        Some(Burst {
            at_ms,
            id: ending.id.clone(),
            account: state.account.clone(),
            events: completion.events,
            waited_ms: polled_before.then(|| (at_ms - state.settled_ms).max(0)),
            next_ms: match next {
                Next::Due(due_ms) => Some(due_ms),
                Next::Now => Some(at_ms),
                Next::Hold(_) | Next::Remove => None,
            },
        })
    }

    /// Keeps bursts for the operator. Without them the cycle goes on.
    pub(super) async fn note_bursts(&self, bursts: Vec<Burst>) {
        if bursts.is_empty() {
            return;
        }
        if let Err(error) = self.channel.store.note_bursts(bursts).await {
            tracing::warn!(channel = %self.channel.id, error = polling_model::chain(&error), "bursts are not noted");
        }
    }
}
