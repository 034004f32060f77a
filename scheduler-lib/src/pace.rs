//! A bound on a rate, refilled by the clock.

/// Grants up to a number of units a second, and up to a second's worth at once.
#[derive(Debug)]
pub(crate) struct Pace {
    per_s: u32,
    units: f64,
    refilled_ms: i64,
}

impl Pace {
    pub(crate) fn new(per_s: u32, now_ms: i64) -> Self {
        Self {
            per_s,
            units: f64::from(per_s),
            refilled_ms: now_ms,
        }
    }

    /// Another rate, from now on.
    pub(crate) fn set(&mut self, per_s: u32) {
        self.per_s = per_s;
    }

    /// Takes at most `most` units of what is there.
    pub(crate) fn take(&mut self, most: usize, now_ms: i64) -> usize {
        let per_s = f64::from(self.per_s);
        // A clock that jumps back grants nothing, one that jumps ahead no more than a second.
        let elapsed_ms = now_ms.saturating_sub(self.refilled_ms).clamp(0, 1000);
        self.refilled_ms = now_ms;
        self.units = (self.units + per_s * elapsed_ms as f64 / 1000.0).min(per_s);
        let taken = (self.units as usize).min(most);
        self.units -= taken as f64;
        taken
    }

    /// Returns units that were not used.
    pub(crate) fn give_back(&mut self, units: usize) {
        self.units = (self.units + units as f64).min(f64::from(self.per_s));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_window_grants_more_than_its_rate_and_a_second_more(steps in prop::collection::vec((0..3000i64, 0..500usize), 1..100)) {
            let mut pace = Pace::new(100, 0);
            let (mut now_ms, mut granted) = (0, 0);
            for (step_ms, most) in steps {
                now_ms += step_ms;
                granted += pace.take(most, now_ms);
            }
            prop_assert!(granted as i64 <= 100 + now_ms / 10);
        }
    }

    #[test]
    fn a_clock_that_jumps_back_grants_nothing() {
        let mut pace = Pace::new(10, 5_000);
        assert_eq!(pace.take(10, 5_000), 10);
        assert_eq!(pace.take(10, 0), 0);
        assert_eq!(pace.take(10, 500), 5);
    }
}
