//! What comes of a window at the pace at which its calls are used.

use scheduler_lib::ledger::WindowStanding;

/// What is to be expected until a window's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forecast {
    /// Nothing of it was used.
    Unused,
    /// Nothing is left of it for jobs.
    UsedUp,
    /// At this pace nothing is left for jobs by then, before the window ends; UTC milliseconds.
    UsedUpBy {
        /// When.
        at_ms: i64,
    },
    /// At this pace so many calls are left at its end, above the cushion.
    Lasts {
        /// How many.
        calls: u64,
    },
    /// It has only just begun: a pace would say nothing.
    TooEarly,
}

/// A pace is told once so much of the window is over: a fiftieth.
const LEAST_SHARE: i64 = 50;

/// What comes of a window, of which `cushion` calls are left to others, if calls go on being used as they were since it
/// began. Calls that are granted count as used.
pub(super) fn forecast(window: &WindowStanding, cushion: u64, now_ms: i64) -> Forecast {
    let left = window.free.saturating_sub(cushion);
    if left == 0 {
        return Forecast::UsedUp;
    }
    let used = window.limit.saturating_sub(window.free);
    if used == 0 {
        return Forecast::Unused;
    }
    let begins_ms = window.ends_ms.saturating_sub(window.length_ms);
    let since_ms = now_ms.saturating_sub(begins_ms);
    if since_ms.max(0) < window.length_ms / LEAST_SHARE {
        return Forecast::TooEarly;
    }
    let per_ms = used as f64 / since_ms.max(1) as f64;
    let lasts_ms = (left as f64 / per_ms).ceil();
    let remains_ms = window.ends_ms.saturating_sub(now_ms).max(0);
    if lasts_ms < remains_ms as f64 {
        let at_ms = now_ms.saturating_add(lasts_ms as i64);
        return Forecast::UsedUpBy { at_ms };
    }
    let will_be_used = (per_ms * remains_ms as f64).ceil() as u64;
    Forecast::Lasts {
        calls: left.saturating_sub(will_be_used),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    /// Of 300 calls in 15 minutes.
    fn window(free: u64) -> WindowStanding {
        WindowStanding {
            limit: 300,
            free,
            granted: 0,
            ends_ms: 15 * MINUTE_MS,
            length_ms: 15 * MINUTE_MS,
        }
    }

    #[test]
    fn a_pace_tells_when_a_window_is_used_up() {
        // 200 in 8 minutes: 25 a minute, so that 100 last 4 more.
        let by = |cushion| forecast(&window(100), cushion, 8 * MINUTE_MS);
        assert_eq!(
            by(0),
            Forecast::UsedUpBy {
                at_ms: 12 * MINUTE_MS
            }
        );
        assert_eq!(
            by(50),
            Forecast::UsedUpBy {
                at_ms: 10 * MINUTE_MS
            }
        );
        assert_eq!(by(100), Forecast::UsedUp);
    }

    #[test]
    fn a_slow_pace_tells_what_is_left_at_the_end() {
        // 100 in 10 minutes, so that 50 more are used.
        let at_the_end = |cushion| forecast(&window(200), cushion, 10 * MINUTE_MS);
        assert_eq!(at_the_end(0), Forecast::Lasts { calls: 150 });
        assert_eq!(at_the_end(20), Forecast::Lasts { calls: 130 });
    }

    #[test]
    fn a_window_without_a_pace_says_so() {
        assert_eq!(forecast(&window(300), 0, MINUTE_MS), Forecast::Unused);
        assert_eq!(forecast(&window(290), 0, 1_000), Forecast::TooEarly);
        assert_eq!(forecast(&window(290), 0, -MINUTE_MS), Forecast::TooEarly);
        assert_eq!(forecast(&window(0), 0, MINUTE_MS), Forecast::UsedUp);
    }

    proptest! {
        #[test]
        fn what_is_used_up_is_so_between_now_and_the_end(
            calls: [u64; 3], ends_ms: i64, length_ms in 1_000..i64::MAX, now_ms: i64
        ) {
            let [limit, free, cushion] = calls;
            let window = WindowStanding { limit, free, granted: 0, ends_ms, length_ms };
            match forecast(&window, cushion, now_ms) {
                Forecast::UsedUpBy { at_ms } => prop_assert!((now_ms..=ends_ms).contains(&at_ms)),
                Forecast::Lasts { calls } => prop_assert!(calls <= free.saturating_sub(cushion)),
                _ => {}
            }
        }
    }
}
