//! Settling part by part of the store: one that fails holds up no other.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::{Cycle, settle::Ending};
use crate::store::{StoreError, Verdict};

impl Cycle {
    /// Settles dispatches: a verdict for each, in their order. [`Verdict::Edited`] is left for one
    /// whose record was edited at each of several tries, or whose part of the store fails; its
    /// message must be left, too. An error if every part that they are in fails.
    pub(super) async fn settle(&self, endings: &[Ending]) -> Result<Vec<Verdict>, StoreError> {
        let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, ending) in endings.iter().enumerate() {
            let part = self.channel.store.shard_of(&ending.id);
            parts.entry(part).or_default().push(at);
        }
        let steps = parts.values().map(|part| {
            let endings: Vec<&Ending> = part.iter().map(|&at| &endings[at]).collect();
            async move { self.settle_part(&endings).await }
        });
        let mut verdicts = vec![Verdict::Edited; endings.len()];
        let (mut failed, mut settled) = (None, parts.is_empty());
        for (part, answer) in parts.values().zip(join_all(steps).await) {
            match answer {
                Ok(answer) => {
                    settled = true;
                    for (&at, verdict) in part.iter().zip(answer) {
                        verdicts[at] = verdict;
                    }
                }
                Err(error) => failed = Some((error, part.len())),
            }
        }
        match failed {
            Some((error, _)) if !settled => return Err(error),
            Some((error, jobs)) => tracing::warn!(
                channel = %self.channel.id, jobs, error = polling_model::chain(&error),
                "a part of the store fails: what is to be settled there is left to redelivery"
            ),
            None => {}
        }
        Ok(verdicts)
    }
}
