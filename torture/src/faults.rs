//! What was done to the system, and when.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::clock::now_ms;

/// The time of a fault, in which nobody promises punctuality.
#[derive(Debug, Clone, Serialize)]
pub struct Window {
    /// What was done, such as `kill redis`.
    pub fault: String,
    /// UTC milliseconds.
    pub from_ms: i64,
    /// UTC milliseconds; none while it lasts.
    pub to_ms: Option<i64>,
}

/// A record of all faults, shared by who injects and who watches.
#[derive(Debug, Clone, Default)]
pub struct FaultLog(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    counts: BTreeMap<String, u64>,
    windows: Vec<Window>,
}

/// A fault that lasts; ends when dropped.
#[derive(Debug)]
#[must_use = "the fault's time ends when this is dropped"]
pub struct Lasting {
    log: FaultLog,
    index: usize,
}

impl FaultLog {
    /// A fault of one moment.
    pub fn injected(&self, fault: &str) {
        drop(self.begin(fault));
    }

    /// A fault that lasts until what is returned is dropped: until all runs again.
    pub fn begin(&self, fault: &str) -> Lasting {
        let mut inner = self.lock();
        *inner.counts.entry(fault.to_owned()).or_default() += 1;
        let index = inner.windows.len();
        inner.windows.push(Window {
            fault: fault.to_owned(),
            from_ms: now_ms(),
            to_ms: None,
        });
        Lasting {
            log: self.clone(),
            index,
        }
    }

    /// Faults that others counted, such as a proxy's; the total so far.
    pub fn set_count(&self, fault: &str, count: u64) {
        if count > 0 {
            self.lock().counts.insert(fault.to_owned(), count);
        }
    }

    /// How many of each.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.lock().counts.clone()
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.lock().counts.values().sum()
    }

    /// When each was.
    #[must_use]
    pub fn windows(&self) -> Vec<Window> {
        self.lock().windows.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lasting {
    fn drop(&mut self) {
        self.log.lock().windows[self.index].to_ms = Some(now_ms());
    }
}

impl Window {
    /// Whether it touches a stretch of time, `after_ms` of recovery included.
    #[must_use]
    pub fn touches(&self, from_ms: i64, to_ms: i64, after_ms: i64) -> bool {
        let end_ms = self.to_ms.map_or(i64::MAX, |end_ms| end_ms + after_ms);
        self.from_ms <= to_ms && from_ms <= end_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lasts_until_it_is_dropped() {
        let log = FaultLog::default();
        let lasting = log.begin("kill redis");
        assert!(log.windows()[0].touches(now_ms() + 1_000, now_ms() + 2_000, 0));
        drop(lasting);
        assert!(!log.windows()[0].touches(now_ms() + 1_000, now_ms() + 2_000, 0));
        assert!(log.windows()[0].touches(now_ms() + 1_000, now_ms() + 2_000, 5_000));
        log.injected("kill redis");
        assert_eq!(log.counts()["kill redis"], 2);
    }
}
