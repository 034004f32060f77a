//! As many permits as jobs may be under way, a number that changes.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, watch};

/// Permits of jobs. Clones share them.
///
/// Nobody who takes or returns one has to know that their number changes: [`keep_to`](Self::keep_to) adds some, or takes its
/// own turn in the semaphore's queue and keeps what it gets.
#[derive(Debug, Clone)]
pub(in crate::worker) struct Permits {
    semaphore: Arc<Semaphore>,
    bound: watch::Receiver<usize>,
}

impl Permits {
    /// As many as `bound` says now, and what keeps to it as it changes for as long as it is polled.
    pub(in crate::worker) fn new(
        mut bound: watch::Receiver<usize>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let total = *bound.borrow_and_update();
        let semaphore = Arc::new(Semaphore::new(total));
        let keeping = keep_to(Arc::clone(&semaphore), bound.clone(), total);
        (Self { semaphore, bound }, keeping)
    }

    /// How many there are, or are to be.
    pub(in crate::worker) fn bound(&self) -> usize {
        *self.bound.borrow()
    }

    /// One, once it is free.
    pub(in crate::worker) async fn one(&self) -> OwnedSemaphorePermit {
        let permit = Arc::clone(&self.semaphore).acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }

    /// As many as are free, up to `most`.
    pub(in crate::worker) fn free(
        &self,
        most: usize,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        let free = self.semaphore.available_permits().min(most);
        let free = u32::try_from(free).unwrap_or(u32::MAX);
        Arc::clone(&self.semaphore).try_acquire_many_owned(free)
    }
}

/// Keeps the number of permits to `bound`; `total` is what there are.
async fn keep_to(semaphore: Arc<Semaphore>, mut bound: watch::Receiver<usize>, mut total: usize) {
    loop {
        let wanted = *bound.borrow_and_update();
        if wanted >= total {
            semaphore.add_permits(wanted - total);
            total = wanted;
        } else {
            total -= semaphore.forget_permits(total - wanted);
        }
        // They wait behind those that came before, so each queue's receive may still get one. Who comes later waits until all
        // of them are served. One by one: what a request for many had gathered would be free again when the bound changes.
        let beyond = (wanted..total).map(|_| semaphore.acquire());
        let mut beyond: FuturesUnordered<_> = beyond.collect();
        loop {
            tokio::select! {
                biased;
                Some(permit) = beyond.next() => {
                    permit.expect("the semaphore is never closed").forget();
                    total -= 1;
                }
                changed = bound.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
