//! The part of a pace that one of several workers has. Pure.

use std::time::Duration;

use governor::Quota;
use tokio::time::Instant;

use crate::model;

/// A worker's part of a quota: a call for every `interval` times the number of workers, and the
/// quota's burst divided among them.
///
/// A governor's limiter has its rate for good, and a new one would give each scope a fresh burst;
/// so the arithmetic is here. A [`Debt`] is told in the time of the quota as a whole: whatever the
/// number of workers becomes, it neither grows nor shrinks by that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// Time between two calls of all workers together; bounded, so that a burst of any number of
    /// them is a time.
    interval: Duration,
    /// Calls that this worker may make at once.
    burst: u32,
    replicas: u32,
}

/// What a scope's calls have used up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Debt {
    used: Duration,
    at: Instant,
}

impl Share {
    /// One of `replicas` parts, of which there is one at least. A burst that is less than their
    /// number still lets each begin with one call.
    pub(super) fn of(quota: Quota, replicas: u32) -> Self {
        let longest = Duration::from_millis(model::caps::MAX_RESET_AHEAD_MS.unsigned_abs());
        Self {
            interval: quota
                .replenish_interval()
                .clamp(Duration::from_nanos(1), longest),
            burst: (quota.burst_size().get() / replicas).max(1),
            replicas,
        }
    }

    /// The debt after one more call, or how long to wait for it.
    pub(super) fn pass(self, debt: Option<Debt>, now: Instant) -> Result<Debt, Duration> {
        let used = debt.map_or(Duration::ZERO, |debt| self.left(debt, now));
        let free_from = self.interval * (self.burst - 1);
        let too_much = used.saturating_sub(free_from);
        if too_much.is_zero() {
            let used = used + self.interval;
            return Ok(Debt { used, at: now });
        }
        Err(too_much.saturating_mul(self.replicas))
    }

    /// Whether nothing is left of `debt`.
    pub(super) fn is_paid(self, debt: Debt, now: Instant) -> bool {
        self.left(debt, now).is_zero()
    }

    /// What is left of a debt under `before`, as the same number of calls counts here.
    pub(super) fn convert(self, debt: Debt, before: Self, now: Instant) -> Debt {
        let ratio = self.interval.as_secs_f64() / before.interval.as_secs_f64();
        let used = before.left(debt, now).as_secs_f64() * ratio;
        let used = Duration::try_from_secs_f64(used).unwrap_or(Duration::MAX);
        Debt { used, at: now }
    }

    fn left(self, debt: Debt, now: Instant) -> Duration {
        let paid = now.saturating_duration_since(debt.at) / self.replicas;
        debt.used.saturating_sub(paid)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn quota(per_second: u32, burst: u32) -> Quota {
        let positive = |number| NonZeroU32::new(number).unwrap();
        Quota::per_second(positive(per_second)).allow_burst(positive(burst))
    }

    /// Calls that pass at once, and the debt after them.
    fn drain(share: Share, mut debt: Option<Debt>, now: Instant) -> (u32, Option<Debt>) {
        let mut passed = 0;
        while let Ok(next) = share.pass(debt, now) {
            (passed, debt) = (passed + 1, Some(next));
        }
        (passed, debt)
    }

    #[test]
    fn burst_and_rate_are_divided() {
        let (now, share) = (Instant::now(), Share::of(quota(1, 10), 2));
        let (passed, debt) = drain(share, None, now);
        assert_eq!(passed, 5);
        assert_eq!(share.pass(debt, now).unwrap_err(), 2 * SECOND);
        assert_eq!(drain(share, debt, now + 6 * SECOND).0, 3);
    }

    #[test]
    fn a_change_of_the_number_gives_no_fresh_burst() {
        let now = Instant::now();
        let (one, two) = (Share::of(quota(1, 10), 1), Share::of(quota(1, 10), 2));
        let (_, debt) = drain(one, None, now);
        // Ten are used up, and five would have been ours.
        assert_eq!(two.pass(debt, now).unwrap_err(), 12 * SECOND);
        let (_, debt) = drain(two, None, now);
        assert_eq!(drain(one, debt, now).0, 5, "what was the other's is ours");
    }

    #[test]
    fn a_burst_of_less_than_a_call_each_lets_each_begin() {
        let (now, share) = (Instant::now(), Share::of(quota(1, 1), 1_000));
        let (passed, debt) = drain(share, None, now);
        assert_eq!(passed, 1);
        assert_eq!(share.pass(debt, now).unwrap_err(), 1_000 * SECOND);
        let alone = Share::of(quota(1, 1), 1);
        assert_eq!(alone.pass(debt, now).unwrap_err(), SECOND);
    }

    #[test]
    fn calls_stay_used_up_when_the_rate_changes() {
        let now = Instant::now();
        let (slow, fast) = (Share::of(quota(1, 10), 2), Share::of(quota(10, 10), 2));
        let (passed, debt) = drain(slow, None, now);
        assert_eq!(passed, 5);
        // Two seconds are one call of each worker.
        let later = now + 2 * SECOND;
        let debt = debt.map(|debt| fast.convert(debt, slow, later));
        assert_eq!(drain(fast, debt, later).0, 1);
        assert_eq!(
            fast.pass(drain(fast, debt, later).1, later).unwrap_err(),
            SECOND / 5
        );
    }

    proptest! {
        #[test]
        fn whatever_a_pace_becomes_no_more_pass_than_its_rates_and_one_burst(
            steps in prop::collection::vec((1..100u32, 1..20u32, 0..5_000u64), 1..20),
        ) {
            let mut now = Instant::now();
            let (mut share, mut debt) = (Share::of(quota(1, 1), 1), None);
            let (mut passed, mut most, mut largest) = (0, 0.0, 1);
            for (per_second, burst, later_ms) in steps {
                let changed = Share::of(quota(per_second, burst), 1);
                debt = debt.map(|debt| changed.convert(debt, share, now));
                share = changed;
                largest = largest.max(burst);
                for wait in [Duration::ZERO, Duration::from_millis(later_ms)] {
                    now += wait;
                    most += wait.as_secs_f64() * f64::from(per_second);
                    let (more, after) = drain(share, debt, now);
                    (passed, debt) = (passed + more, after);
                }
                prop_assert!(f64::from(passed) <= f64::from(largest) + most + 0.001, "{passed}");
            }
        }

        #[test]
        fn no_quota_and_no_time_overflows(
            interval_ns in 1..u64::MAX, burst: NonZeroU32, replicas in 1..=crate::caps::MAX_REPLICAS,
            steps in prop::collection::vec((0..u64::MAX / 4, 1..=crate::caps::MAX_REPLICAS), 1..20),
        ) {
            let quota = Quota::with_period(Duration::from_nanos(interval_ns)).unwrap();
            let quota = quota.allow_burst(burst);
            let begin = Instant::now();
            let mut debt = Share::of(quota, replicas).pass(None, begin).ok();
            for (later_ns, replicas) in steps {
                let now = begin + Duration::from_nanos(later_ns);
                match Share::of(quota, replicas).pass(debt, now) {
                    Ok(next) => debt = Some(next),
                    Err(wait) => prop_assert!(!wait.is_zero()),
                }
            }
        }
    }
}
