//! Batches over jobs of several shards: asked at once, answered in the caller's order.

use std::{collections::BTreeMap, future::Future};

use futures_util::future::join_all;

use super::{ShardedStore, shard_of};
use crate::store::{SlotStore, StoreError};

/// What goes to one shard.
pub(super) struct Part<T> {
    items: Vec<T>,
    /// Where each was in the caller's batch.
    at: Vec<usize>,
}

impl<S: SlotStore + ?Sized> ShardedStore<S> {
    /// Puts the items of a batch to their shards, in their order.
    pub(super) fn parts<T>(
        &self,
        batch: impl IntoIterator<Item = T>,
        id: impl Fn(&T) -> &str,
    ) -> BTreeMap<usize, Part<T>> {
        let mut parts = BTreeMap::new();
        for (at, item) in batch.into_iter().enumerate() {
            let shard = shard_of(id(&item), self.shards.len());
            let part: &mut Part<T> = parts.entry(shard).or_insert_with(|| Part {
                items: Vec::new(),
                at: Vec::new(),
            });
            part.items.push(item);
            part.at.push(at);
        }
        parts
    }

    /// Runs `step` on all parts at once; what each answered, or the first error once all ended.
    pub(super) async fn on_parts<'a, T, A, F: Future<Output = Result<A, StoreError>>>(
        &'a self,
        parts: BTreeMap<usize, Part<T>>,
        step: impl Fn(&'a S, Vec<T>) -> F,
    ) -> Result<Vec<A>, StoreError> {
        let steps = parts
            .into_iter()
            .map(|(shard, part)| step(&self.shards[shard].store, part.items));
        join_all(steps).await.into_iter().collect()
    }

    /// The same for steps with one answer for each item: all answers, in the order of the batch.
    pub(super) async fn in_order<'a, T, A, F: Future<Output = Result<Vec<A>, StoreError>>>(
        &'a self,
        parts: BTreeMap<usize, Part<T>>,
        step: impl Fn(&'a S, Vec<T>) -> F,
    ) -> Result<Vec<A>, StoreError> {
        let steps = parts.into_iter().map(|(shard, Part { items, at })| {
            let step = step(&self.shards[shard].store, items);
            async { Ok(at.into_iter().zip(step.await?)) }
        });
        let answered: Result<Vec<_>, StoreError> = join_all(steps).await.into_iter().collect();
        let mut answers: Vec<_> = answered?.into_iter().flatten().collect();
        answers.sort_by_key(|(at, _)| *at);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }

    /// Asks all shards at once; what each answered, or the first error once all ended.
    pub(super) async fn on_all<'a, A, F: Future<Output = Result<A, StoreError>>>(
        &'a self,
        step: impl Fn(&'a S) -> F,
    ) -> Result<Vec<A>, StoreError> {
        let steps = self.shards.iter().map(|shard| step(&shard.store));
        join_all(steps).await.into_iter().collect()
    }
}
