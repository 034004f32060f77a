//! How often a number of workers is set.

use std::time::Duration;

/// What was set of one job type, and when something was last tried.
#[derive(Debug, Default)]
pub(super) struct Pace {
    set: Option<u32>,
    called_ms: Option<i64>,
}

impl Pace {
    /// Whether `workers` is to be set now. The first number always is: nobody knows how many run.
    pub(super) fn allows(&self, workers: u32, now_ms: i64, min_interval: Duration) -> bool {
        let since_ms = self
            .called_ms
            .map(|called_ms| now_ms.saturating_sub(called_ms));
        let waited = since_ms.is_none_or(|since_ms| {
            u64::try_from(since_ms).is_ok_and(|since| u128::from(since) >= min_interval.as_millis())
        });
        self.set != Some(workers) && waited
    }

    /// The command was called. After a failure nobody knows what is set.
    pub(super) fn called(&mut self, workers: u32, now_ms: i64, done: bool) {
        self.set = done.then_some(workers);
        self.called_ms = Some(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_first_number_is_set_and_then_changes_no_sooner_than_the_interval() {
        let mut pace = Pace::default();
        assert!(pace.allows(3, 0, MINUTE));
        pace.called(3, 0, true);
        assert!(!pace.allows(3, 120_000, MINUTE), "it is set");
        assert!(!pace.allows(4, 59_999, MINUTE), "too soon");
        assert!(pace.allows(4, 60_000, MINUTE));
    }

    #[test]
    fn what_failed_is_tried_again_after_the_interval() {
        let mut pace = Pace::default();
        pace.called(3, 0, true);
        pace.called(4, 60_000, false);
        assert!(!pace.allows(4, 61_000, MINUTE));
        assert!(pace.allows(4, 120_000, MINUTE));
        // Back to what was set before: it may have been changed nevertheless.
        assert!(pace.allows(3, 120_000, MINUTE));
    }
}
