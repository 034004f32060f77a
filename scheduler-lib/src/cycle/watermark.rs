//! Up to when the completed queue is known to be read.

use std::sync::{Mutex, PoisonError};

/// A job in flight past its deadline is reaped only once the completions that were stored before
/// that deadline are settled: so a scheduler that was down finds them first.
#[derive(Debug, Default)]
pub(super) struct Watermark(Mutex<Reading>);

#[derive(Debug, Default)]
struct Reading {
    /// Batches received and not yet settled.
    unsettled: usize,
    /// Since then no batch was found unsettled when the queue was found empty.
    read_through_ms: i64,
}

/// A batch being settled; settled or not, dropping it ends it.
#[derive(Debug)]
pub(super) struct Settling<'a>(&'a Watermark);

impl Watermark {
    /// A batch was received.
    pub(super) fn settling(&self) -> Settling<'_> {
        self.reading().unsettled += 1;
        Settling(self)
    }

    /// A receive that began at `began_ms` found nothing.
    pub(super) fn found_empty(&self, began_ms: i64) {
        let mut reading = self.reading();
        if reading.unsettled == 0 {
            reading.read_through_ms = reading.read_through_ms.max(began_ms);
        }
    }

    /// Completions stored before this time are settled, as far as is known; UTC milliseconds.
    pub(super) fn read_through_ms(&self) -> i64 {
        self.reading().read_through_ms
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Reading> {
        // Two numbers that are changed together cannot be left half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Settling<'_> {
    fn drop(&mut self) {
        self.0.reading().unsettled -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_receive_counts_only_while_no_batch_is_unsettled() {
        let watermark = Watermark::default();
        watermark.found_empty(5);
        assert_eq!(watermark.read_through_ms(), 5);
        let batch = watermark.settling();
        watermark.found_empty(7);
        assert_eq!(watermark.read_through_ms(), 5);
        drop(batch);
        watermark.found_empty(9);
        watermark.found_empty(8);
        assert_eq!(watermark.read_through_ms(), 9);
    }
}
