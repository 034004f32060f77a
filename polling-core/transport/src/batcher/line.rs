//! Entries in line for a batch.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{Notify, Semaphore, oneshot},
    time::{Instant, timeout_at},
};

use super::BatchLimits;

pub(super) struct Entry<I, E> {
    pub(super) item: I,
    pub(super) size_bytes: usize,
    pub(super) answer: oneshot::Sender<Result<(), E>>,
}

/// A bounded line of entries, added by many and taken by one.
pub(super) struct Line<I, E> {
    limits: BatchLimits,
    waiting: Mutex<Waiting<I, E>>,
    /// One permit at most: there is one who takes.
    changed: Notify,
    /// A permit for each entry that there is room for.
    room: Semaphore,
}

struct Waiting<I, E> {
    entries: VecDeque<Entry<I, E>>,
    size_bytes: usize,
    /// Batches taken, and not executed yet.
    under_way: usize,
    /// Entries of the last batch taken.
    last: usize,
    /// No more will come.
    ended: bool,
}

impl<I, E> Waiting<I, E> {
    /// Whether a batch need not wait for more entries.
    fn is_enough(&self, limits: &BatchLimits) -> bool {
        let worth_it = self.entries.len() >= limits.enough.min(limits.entries)
            || self.size_bytes >= limits.size_bytes;
        // With nothing under way nobody is about to come back for more. One who calls again and
        // again alone shares with nobody, however long he waits.
        let alone = self.under_way == 0 && (limits.eager || self.last <= 1);
        worth_it || alone || self.ended
    }
}

impl<I, E> Line<I, E> {
    pub(super) fn new(limits: BatchLimits) -> Self {
        let waiting = Waiting {
            entries: VecDeque::new(),
            size_bytes: 0,
            under_way: 0,
            last: 0,
            ended: false,
        };
        Self {
            limits,
            waiting: Mutex::new(waiting),
            changed: Notify::new(),
            room: Semaphore::new(limits.waiting),
        }
    }

    pub(super) fn limits(&self) -> &BatchLimits {
        &self.limits
    }

    /// Adds entries, no more than there can be room for, next to each other.
    pub(super) async fn push(
        &self,
        entries: impl IntoIterator<Item = Entry<I, E>, IntoIter: ExactSizeIterator>,
    ) {
        let entries = entries.into_iter();
        let Ok(room) = self.room.acquire_many(entries.len() as u32).await else {
            // Nobody takes any more: the entries are dropped, and so are the senders of answers.
            return;
        };
        room.forget();
        let mut waiting = self.lock();
        if waiting.ended {
            return;
        }
        for entry in entries {
            waiting.size_bytes += entry.size_bytes;
            waiting.entries.push_back(entry);
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// What is in line is still taken, and no more will come.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<I, E>> {
        // Nothing panics while it is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one who takes. When it is dropped, nobody waits for an answer any more.
pub(super) struct Reader<I, E>(Arc<Line<I, E>>);

impl<I, E> Reader<I, E> {
    pub(super) fn of(line: Arc<Line<I, E>>) -> Self {
        Self(line)
    }

    /// Waits for an entry. False when none will come.
    pub(super) async fn some(&self) -> bool {
        loop {
            {
                let waiting = self.0.lock();
                if !waiting.entries.is_empty() || waiting.ended {
                    return !waiting.entries.is_empty();
                }
            }
            self.0.changed.notified().await;
        }
    }

    /// Waits for enough entries to be worth a call, until `earliest` at most.
    pub(super) async fn enough(&self, earliest: Instant) {
        while Instant::now() < earliest {
            if self.0.lock().is_enough(&self.0.limits) {
                return;
            }
            let _ = timeout_at(earliest, self.0.changed.notified()).await;
        }
    }

    /// Takes a batch, which is under way as long as what comes with it is kept.
    pub(super) fn take(&self) -> (Vec<Entry<I, E>>, UnderWay<I, E>) {
        let limits = self.0.limits;
        let mut waiting = self.0.lock();
        let mut size_bytes = 0;
        let fits = |entry: &&Entry<I, E>| {
            size_bytes += entry.size_bytes;
            size_bytes <= limits.size_bytes
        };
        let fitting = waiting
            .entries
            .iter()
            .take(limits.entries)
            .take_while(fits)
            .count();
        // One that is too large alone is the server's to refuse.
        let count = fitting.max(1).min(waiting.entries.len());
        let batch: Vec<_> = waiting.entries.drain(..count).collect();
        waiting.size_bytes -= batch.iter().map(|entry| entry.size_bytes).sum::<usize>();
        waiting.under_way += 1;
        waiting.last = batch.len();
        drop(waiting);
        self.0.room.add_permits(batch.len());
        (batch, UnderWay(self.0.clone()))
    }
}

/// A batch that was taken and is not executed yet.
pub(super) struct UnderWay<I, E>(Arc<Line<I, E>>);

impl<I, E> Drop for UnderWay<I, E> {
    fn drop(&mut self) {
        self.0.lock().under_way -= 1;
        self.0.changed.notify_one();
    }
}

impl<I, E> Drop for Reader<I, E> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.ended = true;
        waiting.entries.clear();
        drop(waiting);
        self.0.room.close();
    }
}
