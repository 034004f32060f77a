//! Lines that wait to be sent: at most so many bytes, the newest.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use prometheus_client::metrics::counter::Counter;
use tokio::sync::Notify;

/// One push: all lines of one moment.
pub(super) type Batch = Arc<str>;

#[derive(Debug)]
pub(super) struct Buffer {
    waiting: Mutex<Waiting>,
    max_size_bytes: usize,
    dropped: Counter,
    pushed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    batches: VecDeque<Batch>,
    size_bytes: usize,
}

impl Buffer {
    pub(super) fn new(max_size_bytes: usize, dropped: Counter) -> Self {
        Self {
            waiting: Mutex::default(),
            max_size_bytes,
            dropped,
            pushed: Notify::new(),
        }
    }

    /// Adds a batch, and drops the oldest beyond the bound; one that is larger by itself, too.
    pub(super) fn push(&self, lines: String) {
        if lines.is_empty() {
            return;
        }
        let mut waiting = self.waiting();
        waiting.size_bytes += lines.len();
        waiting.batches.push_back(lines.into());
        while waiting.size_bytes > self.max_size_bytes {
            let Some(oldest) = waiting.batches.pop_front() else {
                break;
            };
            waiting.size_bytes -= oldest.len();
            self.dropped.inc_by(count(&oldest));
        }
        drop(waiting);
        self.pushed.notify_one();
    }

    /// The oldest batch, once there is one. It stays until [`sent`](Self::sent) is told.
    pub(super) async fn oldest(&self) -> Batch {
        loop {
            let pushed = self.pushed.notified();
            if let Some(batch) = self.now() {
                return batch;
            }
            pushed.await;
        }
    }

    /// The oldest batch, if there is one.
    pub(super) fn now(&self) -> Option<Batch> {
        self.waiting().batches.front().cloned()
    }

    /// Takes a batch out, unless it was dropped meanwhile.
    pub(super) fn sent(&self, batch: &Batch) {
        let mut waiting = self.waiting();
        let oldest = waiting.batches.front();
        if oldest.is_some_and(|oldest| Arc::ptr_eq(oldest, batch)) {
            waiting.size_bytes -= batch.len();
            waiting.batches.pop_front();
        }
    }

    /// How many lines wait.
    pub(super) fn lines(&self) -> u64 {
        self.waiting()
            .batches
            .iter()
            .map(|batch| count(batch))
            .sum()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics between the batches' change and the size's.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn count(lines: &str) -> u64 {
    lines.lines().count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_bound_the_oldest_lines_are_dropped_and_counted() {
        let dropped = Counter::default();
        let buffer = Buffer::new(10, dropped.clone());
        buffer.push("a 1\nb 1\n".to_owned());
        let being_sent = buffer.now().unwrap();
        buffer.push("a 2\n".to_owned());
        assert_eq!(dropped.get(), 2);
        buffer.sent(&being_sent);
        assert_eq!(
            buffer.now().as_deref(),
            Some("a 2\n"),
            "what was dropped is not taken out again"
        );
        buffer.push("much too long for the bound\n".to_owned());
        assert_eq!((buffer.lines(), dropped.get()), (0, 4));
    }
}
