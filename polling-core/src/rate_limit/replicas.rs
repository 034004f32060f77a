//! How many share a pace.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use crate::caps;

/// The number of workers that share the paces of a channel, this one included. It can be changed
/// while they run: clones share it.
///
/// Each worker takes its part of a pace and asks nobody, so what all do together is the whole only
/// as far as the number is true. Told too low, they pass too much; told too high, too little.
///
/// ```
/// use std::num::NonZeroU32;
/// use polling_core::rate_limit::Replicas;
///
/// let replicas = Replicas::default();
/// assert_eq!(replicas.get(), 1);
/// // Who counts workers that are ready may tell 0 while this one starts: it is one all the same.
/// let told = 0;
/// replicas.set(NonZeroU32::new(told).unwrap_or(NonZeroU32::MIN));
/// ```
#[derive(Debug, Clone)]
pub struct Replicas(Arc<AtomicU32>);

impl Replicas {
    /// So many, at most [`caps::MAX_REPLICAS`].
    #[must_use]
    pub fn new(replicas: NonZeroU32) -> Self {
        let shared = Self(Arc::default());
        shared.set(replicas);
        shared
    }

    /// So many from now on, at most [`caps::MAX_REPLICAS`]. A call that already waits for its turn
    /// waits as long as it would have before, and is then judged anew.
    pub fn set(&self, replicas: NonZeroU32) {
        let replicas = replicas.get().min(caps::MAX_REPLICAS);
        self.0.store(replicas, Relaxed);
    }

    /// How many, 1 at least.
    #[must_use]
    pub fn get(&self) -> u32 {
        self.0.load(Relaxed)
    }
}

/// One.
impl Default for Replicas {
    fn default() -> Self {
        Self::new(NonZeroU32::MIN)
    }
}
