//! Steps that go through all there is, one shard after the other. Their cursors are the shard's
//! number, a dot, and the shard's own cursor, or nothing at its beginning.

use super::{Shard, ShardedStore};
use crate::store::{ListCursor, Listed, SlotStore, StoreError, SweepCursor, Swept};

impl<S: SlotStore + ?Sized> ShardedStore<S> {
    pub(super) async fn list_on(
        &self,
        from: Option<&ListCursor>,
        limit: usize,
    ) -> Result<Listed, StoreError> {
        let (number, inner) = self.begin(from)?;
        let store = &self.shards[number].store;
        let page = store.list(inner.as_ref(), limit).await?;
        Ok(self.go_on(number, page))
    }

    pub(super) async fn held_on(
        &self,
        from: Option<&ListCursor>,
        limit: usize,
    ) -> Result<Listed, StoreError> {
        let (number, inner) = self.begin(from)?;
        let store = &self.shards[number].store;
        let page = store.held(inner.as_ref(), limit).await?;
        Ok(self.go_on(number, page))
    }

    /// In which shard a page begins, and where in it.
    fn begin(&self, from: Option<&ListCursor>) -> Result<(usize, Option<ListCursor>), StoreError> {
        let Some(from) = from else {
            return Ok((0, None));
        };
        let position = self.position(&from.0);
        let (number, inner) = position.ok_or_else(|| StoreError::Cursor(from.0.clone()))?;
        Ok((number, inner.map(ListCursor)))
    }

    /// A page of a shard as one of the whole.
    fn go_on(&self, number: usize, page: Listed) -> Listed {
        let next = self.after(number, page.next.map(|next| next.0));
        Listed {
            next: next.map(ListCursor),
            ..page
        }
    }

    /// One that is absent is swept the next time round.
    pub(super) async fn sweep_on(
        &self,
        from: Option<SweepCursor>,
        limit: usize,
    ) -> Result<Swept, StoreError> {
        let begin = from.and_then(|from| self.position(&from.0));
        let (number, inner) = begin.unwrap_or((0, None));
        let skipped = Swept {
            next: self.after(number, None).map(SweepCursor),
            seen: 0,
            repaired: 0,
        };
        let is_present = |shard: &Shard<S>| shard.presence.is_present();
        let Shard { store, presence } = &self.shards[number];
        let is_any_present = self.shards.iter().any(is_present);
        if is_any_present && !presence.is_present() {
            return Ok(skipped);
        }
        match store.sweep(inner.map(SweepCursor), limit).await {
            Ok(swept) => Ok(Swept {
                next: self
                    .after(number, swept.next.map(|next| next.0))
                    .map(SweepCursor),
                ..swept
            }),
            // Whether it is absent, those who drain find out.
            Err(error) if is_any_present && self.shards.len() > 1 => {
                tracing::warn!(
                    shard = number,
                    error = polling_model::chain(&error),
                    "a shard cannot be swept; the others are"
                );
                Ok(skipped)
            }
            Err(error) => Err(error),
        }
    }

    /// The shard's number, and where in it; `None` for what is no cursor of this store.
    fn position(&self, cursor: &str) -> Option<(usize, Option<String>)> {
        let (number, inner) = cursor.split_once('.')?;
        let number = number.parse().ok()?;
        let inner = (!inner.is_empty()).then(|| inner.to_owned());
        (number < self.shards.len()).then_some((number, inner))
    }

    /// Where to go on, after a step in that shard said where in it.
    fn after(&self, number: usize, inner: Option<String>) -> Option<String> {
        match inner {
            Some(inner) => Some(format!("{number}.{inner}")),
            None if number + 1 < self.shards.len() => Some(format!("{}.", number + 1)),
            None => None,
        }
    }
}
