//! A channel's jobs spread over several stores.

mod batch;
mod hash;
mod presence;
mod scans;
mod steps;
mod turns;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

pub use self::hash::shard_of;
use self::presence::Presence;
use super::SlotStore;

/// Most shards of a channel.
pub const MAX_SHARDS: usize = 256;

/// One [`SlotStore`] made of several, the shards: each job is in the one that the
/// [hash](shard_of) of its id names, for ever. So the order of the shards and their number belong
/// to the data.
///
/// Each shard keeps every promise of the port for its own jobs: slots are caught up in order, the
/// emptier of two is taken, and `max_open_notes` are counted shard by shard. Drains, claims of
/// notes, and reaping take the shards in turn, and any number of calls at once go to different
/// ones.
///
/// One that fails stops no other: it is left out of the turns, and asked about once a second of
/// the caller's clock, until it is well. Its jobs wait; `check` and `counts` tell. A step on a job
/// fails only with its own shard. A batch over jobs of several shards is done as far as it can be,
/// and then fails if any shard did: group it by [`shard_of`](SlotStore::shard_of) to be told one
/// by one.
///
/// ```
/// use std::sync::Arc;
/// use polling_model::SlotRing;
/// use scheduler_lib::store::{MemoryStore, ShardedStore, SlotStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_lib::store::StoreError> {
/// let shard = || Arc::new(MemoryStore::new(SlotRing::MINUTES, 0));
/// let store = ShardedStore::new(vec![shard(), shard(), shard()]);
/// assert_eq!(store.counts().await?.registered, 0);
/// # Ok(())
/// # }
/// ```
pub struct ShardedStore<S: ?Sized> {
    shards: Vec<Shard<S>>,
    /// Whose turn is next.
    turn: AtomicUsize,
}

struct Shard<S: ?Sized> {
    store: Arc<S>,
    presence: Arc<Presence>,
}

impl<S: SlotStore + ?Sized> ShardedStore<S> {
    /// A store over these shards, in their order.
    ///
    /// # Panics
    ///
    /// Without any shard, with more than [`MAX_SHARDS`], or if they have different rings.
    #[must_use]
    pub fn new(shards: Vec<Arc<S>>) -> Self {
        assert!(
            (1..=MAX_SHARDS).contains(&shards.len()),
            "a store has 1 to {MAX_SHARDS} shards, not {}",
            shards.len()
        );
        let ring = shards[0].ring();
        assert!(
            shards.iter().all(|shard| shard.ring() == ring),
            "the shards of a store have one ring"
        );
        let shard = |store| Shard {
            store,
            presence: Arc::default(),
        };
        Self {
            shards: shards.into_iter().map(shard).collect(),
            turn: AtomicUsize::new(0),
        }
    }

    /// The shards, in their order.
    pub fn shards(&self) -> impl ExactSizeIterator<Item = &Arc<S>> {
        self.shards.iter().map(|shard| &shard.store)
    }

    /// The shard of an id.
    fn of(&self, id: &str) -> &S {
        &self.shards[shard_of(id, self.shards.len())].store
    }

    /// The number of the shard whose turn it is.
    fn take_turn(&self) -> usize {
        self.turn.fetch_add(1, Relaxed) % self.shards.len()
    }
}

impl<S: fmt::Debug + ?Sized> fmt::Debug for ShardedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shards = self.shards.iter().map(|shard| &shard.store);
        f.debug_list().entries(shards).finish()
    }
}
