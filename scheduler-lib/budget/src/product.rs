//! The other product: it spends from the same limit, in bursts, and knows nothing of us.

use std::ops::Range;

use polling_model::Generator;

/// Bursts of one window.
const BURSTS: Range<u64> = 3..9;

/// How long a burst lasts, as a share of the window.
const LASTING: Range<f64> = 0.01..0.12;

/// When the other product calls within a window, milliseconds since its beginning, in order.
///
/// It makes a `share` of `limit` calls, in three to eight bursts of different size and length. The
/// same seed and window give the same calls.
pub(crate) fn calls_of_window(
    seed: u64,
    window: i64,
    limit: u64,
    share: &Range<f64>,
    window_ms: i64,
) -> Vec<i64> {
    let generator = Generator::from_seed(seed ^ window.unsigned_abs().wrapping_mul(0x9e37_79b9));
    let between =
        |range: &Range<f64>| range.start + (range.end - range.start) * generator.fraction();
    let calls = (limit as f64 * between(share)) as u64;
    let bursts = BURSTS.start + generator.below(BURSTS.end - BURSTS.start);
    let sizes: Vec<f64> = (0..bursts).map(|_| 0.2 + generator.fraction()).collect();
    let all: f64 = sizes.iter().sum();
    let mut times = Vec::with_capacity(calls as usize);
    let mut up_to = 0.0;
    for size in sizes {
        let lasting = between(&LASTING);
        let begin = generator.fraction() * (1.0 - lasting);
        up_to += size;
        let through = (calls as f64 * up_to / all).round() as usize;
        while times.len() < through {
            let at = begin + lasting * generator.fraction();
            times.push((at * window_ms as f64) as i64);
        }
    }
    times.sort_unstable();
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: Range<f64> = 0.2..0.6;

    fn calls(seed: u64, window: i64) -> Vec<i64> {
        calls_of_window(seed, window, 5_000, &SHARE, 900_000)
    }

    #[test]
    fn every_window_is_spent_within_its_bounds_and_differently() {
        let mut totals = Vec::new();
        for window in 0..200 {
            let calls = calls(7, window);
            assert!((1_000..3_000).contains(&calls.len()), "{}", calls.len());
            assert!(calls.is_sorted());
            assert!(calls.iter().all(|at_ms| (0..900_000).contains(at_ms)));
            totals.push(calls.len());
        }
        let mean = totals.iter().sum::<usize>() / totals.len();
        assert!((1_900..2_100).contains(&mean), "{mean}");
        totals.sort_unstable();
        assert!(totals[0] < 1_100 && totals[199] > 2_900, "{totals:?}");
    }

    #[test]
    fn calls_come_in_bursts() {
        for window in 0..50 {
            let calls = calls(7, window);
            let mut minutes = [0; 15];
            for at_ms in &calls {
                minutes[(at_ms / 60_000) as usize] += 1;
            }
            let busiest = *minutes.iter().max().unwrap();
            assert!(busiest > 2 * calls.len() / 15, "{minutes:?}");
        }
    }

    #[test]
    fn one_seed_gives_the_same_calls() {
        assert_eq!(calls(3, 5), calls(3, 5));
        assert_ne!(calls(3, 5), calls(4, 5));
        assert_ne!(calls(3, 5), calls(3, 6));
    }
}
