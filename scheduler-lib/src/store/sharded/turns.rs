//! Steps that take the shards in turn.

use polling_model::AbsoluteSlot;

use super::{Shard, ShardedStore};
use crate::store::{ClaimedNote, DrainRequest, Drained, SlotStore, StoreError};

impl<S: SlotStore + ?Sized + 'static> ShardedStore<S> {
    /// The numbers of those shards that take their turns, from the one whose turn it is. If none
    /// does, that one alone: it may be well again, and else says what is wrong.
    fn in_turn(&self, now_ms: i64) -> Vec<usize> {
        let first = self.take_turn();
        let count = self.shards.len();
        let mut present: Vec<_> = (first..first + count)
            .map(|number| number % count)
            .collect();
        present.retain(|&number| {
            let Shard { store, presence } = &self.shards[number];
            presence.ask(number, store, now_ms);
            presence.is_present()
        });
        if present.is_empty() {
            present.push(first);
        }
        present
    }

    /// Notes how a turn ended. An error is returned if no other shard answered.
    fn ended<T>(
        &self,
        number: usize,
        answer: Result<T, StoreError>,
        now_ms: i64,
        failed: &mut Option<StoreError>,
    ) -> Option<T> {
        let presence = &self.shards[number].presence;
        match answer {
            Ok(answer) => {
                if !presence.is_present() {
                    presence.came();
                }
                Some(answer)
            }
            Err(error) => {
                presence.left(number, &error, now_ms);
                *failed = Some(error);
                None
            }
        }
    }

    /// Takes from one shard after the other until there is enough.
    pub(super) async fn drain_in_turn(&self, request: DrainRequest) -> Result<Drained, StoreError> {
        let mut failed = None;
        let mut taken: Option<Drained> = None;
        for number in self.in_turn(request.now_ms) {
            let enough = taken
                .as_mut()
                .filter(|taken| taken.jobs.len() >= request.limit);
            if let Some(taken) = enough {
                // Nobody has looked there.
                taken.more = true;
                break;
            }
            let so_far = taken.as_ref().map_or(0, |taken| taken.jobs.len());
            let part = self.shards[number].store.drain(DrainRequest {
                limit: request.limit - so_far,
                ..request.clone()
            });
            let Some(part) = self.ended(number, part.await, request.now_ms, &mut failed) else {
                continue;
            };
            taken = Some(match taken {
                None => part,
                Some(taken) => together(taken, part),
            });
        }
        taken.ok_or_else(|| failed.expect("a shard has answered or failed"))
    }

    /// The first note with jobs to send; of those without, which are gone with the claim, the last.
    pub(super) async fn claim_in_turn(
        &self,
        now_ms: i64,
        new_deadline_ms: i64,
    ) -> Result<Option<ClaimedNote>, StoreError> {
        let (mut failed, mut answered, mut empty) = (None, false, None);
        for number in self.in_turn(now_ms) {
            let claim = self.shards[number]
                .store
                .claim_note(now_ms, new_deadline_ms);
            let Some(claimed) = self.ended(number, claim.await, now_ms, &mut failed) else {
                continue;
            };
            answered = true;
            match claimed {
                Some(note) if !note.jobs.is_empty() => return Ok(Some(note)),
                Some(note) => empty = Some(note),
                None => {}
            }
        }
        match failed {
            Some(error) if !answered => Err(error),
            _ => Ok(empty),
        }
    }

    pub(super) async fn reap_in_turn(
        &self,
        deadline_ms: i64,
        limit: usize,
        now_ms: i64,
    ) -> Result<usize, StoreError> {
        let (mut failed, mut answered, mut reaped) = (None, false, 0);
        for number in self.in_turn(now_ms) {
            if answered && reaped >= limit {
                break;
            }
            let reap = self.shards[number]
                .store
                .reap(deadline_ms, limit - reaped, now_ms);
            if let Some(more) = self.ended(number, reap.await, now_ms, &mut failed) {
                answered = true;
                reaped += more;
            }
        }
        match failed {
            Some(error) if !answered => Err(error),
            _ => Ok(reaped),
        }
    }
}

fn together(mut taken: Drained, part: Drained) -> Drained {
    taken.jobs.extend(part.jobs);
    taken.more |= part.more;
    taken.due_ms = taken.due_ms.min(part.due_ms);
    taken.cursor = AbsoluteSlot(taken.cursor.0.min(part.cursor.0));
    taken
}
