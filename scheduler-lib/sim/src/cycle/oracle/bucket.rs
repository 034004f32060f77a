//! Whether dispatches keep within their cap, whoever makes them.

/// What may leave at once, in seconds of the cap: a second's worth is granted at once, and one that
/// was granted before may leave with it, if the store was slow or the scheduler stood still between
/// the grant and the drain.
const BURST_S: f64 = 2.0;

/// Schedulers may together dispatch their caps' sum each second, and [`BURST_S`] at once: no window
/// of `t` seconds holds more than `cap × (t + 2)` for each scheduler. A scheduler that starts anew,
/// or whose clock jumps, begins with a second's worth of its own.
#[derive(Debug)]
pub(super) struct Bucket {
    per_s: f64,
    schedulers: f64,
    left: f64,
    refilled_ms: i64,
}

impl Bucket {
    pub(super) fn new(per_s: u32, schedulers: u64, now_ms: i64) -> Self {
        let (per_s, schedulers) = (f64::from(per_s), schedulers as f64);
        Self {
            per_s,
            schedulers,
            left: per_s * schedulers * BURST_S,
            refilled_ms: now_ms,
        }
    }

    /// A scheduler has a full second's worth again.
    pub(super) fn renewed(&mut self) {
        self.left += self.per_s;
    }

    pub(super) fn dispatched(&mut self, jobs: u64, now_ms: i64) -> Result<(), String> {
        let most = (self.per_s * self.schedulers * BURST_S).max(self.left);
        let elapsed_s = (now_ms - self.refilled_ms) as f64 / 1_000.0;
        let refill = elapsed_s * self.per_s * self.schedulers;
        self.left = (self.left + refill).min(most) - jobs as f64;
        self.refilled_ms = now_ms;
        // Fractions of a job are rounding.
        if self.left > -1.0 {
            return Ok(());
        }
        Err(format!(
            "{jobs} jobs dispatched, {:.0} more than {} schedulers may at {} a second",
            -self.left, self.schedulers, self.per_s
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_and_two_seconds_worth_may_pass_and_no_more() {
        let mut bucket = Bucket::new(100, 2, 0);
        assert_eq!(bucket.dispatched(400, 0), Ok(()));
        assert_eq!(bucket.dispatched(100, 500), Ok(()));
        assert!(bucket.dispatched(2, 500).is_err());
    }

    #[test]
    fn a_new_scheduler_brings_a_seconds_worth() {
        let mut bucket = Bucket::new(100, 1, 0);
        bucket.renewed();
        assert_eq!(bucket.dispatched(300, 0), Ok(()));
        assert!(bucket.dispatched(102, 1_000).is_err());
    }
}
