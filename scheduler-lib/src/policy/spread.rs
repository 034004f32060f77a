//! Even load by hashing: a million jobs registered in one minute do not meet in one slot.

use polling_model::{JobId, SlotRing};

use crate::{stable_hash::stable_hash, store::Candidates};

/// Two hashed slots within one interval from now, for a job that starts its cycle.
///
/// The two choices are independent, and the store takes the emptier: with `n` jobs on `n` slots
/// the fullest holds about `ln ln n / ln 2` instead of `ln n / ln ln n` (Azar, Broder, Karlin,
/// Upfal: Balanced Allocations, 1999).
#[must_use]
pub fn candidates(id: &JobId, interval_ms: i64, now_ms: i64, ring: SlotRing) -> Candidates {
    let slots = (interval_ms / ring.width_ms()).max(1);
    let first = ring.current(now_ms).plus(1);
    [1, 2].map(|choice| {
        let offset = stable_hash(id.as_str(), choice).rem_euclid(slots as u64) as i64;
        ring.start_ms(first.plus(offset))
    })
}

/// The job's place among those of one slot or window, by lot: another in each, so that none is always
/// the last.
pub(super) fn lot(id: &JobId, slot: u64) -> u64 {
    stable_hash(id.as_str(), slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> impl Iterator<Item = JobId> {
        (0..10_000).map(|n| JobId::new(format!("posts:{n}")).unwrap())
    }

    #[test]
    fn candidates_lie_within_one_interval_from_now() {
        let (ring, now_ms) = (SlotRing::MINUTES, 1_000_000_000_123);
        for due_ms in ids().flat_map(|id| candidates(&id, 300_000, now_ms, ring)) {
            assert!(due_ms > now_ms && due_ms <= now_ms + 300_000, "{due_ms}");
            assert_eq!(due_ms % 60_000, 0);
        }
    }

    #[test]
    fn both_choices_and_the_lot_are_even() {
        for choice in 0..2 {
            let mut counts = [0; 10];
            for id in ids() {
                let due_ms = candidates(&id, 600_000, 0, SlotRing::MINUTES)[choice];
                counts[(due_ms / 60_000 - 1) as usize] += 1;
            }
            assert!(counts.iter().all(|n| (850..1150).contains(n)), "{counts:?}");
        }
        let mean = ids().map(|id| lot(&id, 7) as f64).sum::<f64>() / (10_000.0 * u64::MAX as f64);
        assert!((0.48..0.52).contains(&mean), "{mean}");
    }

    /// Each job takes the emptier of its two slots, as stores do.
    #[test]
    fn of_a_million_jobs_the_fullest_slot_is_within_three_percent_of_the_mean() {
        const JOBS: usize = 1_000_000;
        for slots in [5, 60, 1_440] {
            let mut jobs = vec![0; slots];
            for id in (0..JOBS).map(|n| JobId::new(format!("posts:{n}")).unwrap()) {
                let due_ms = candidates(&id, slots as i64 * 60_000, 0, SlotRing::MINUTES);
                let [one, other] = due_ms.map(|due_ms| (due_ms / 60_000 - 1) as usize);
                let emptier = if jobs[other] < jobs[one] { other } else { one };
                jobs[emptier] += 1;
            }
            let fullest = jobs.into_iter().max().unwrap();
            let mean = JOBS as f64 / slots as f64;
            assert!(
                f64::from(fullest) <= 1.03 * mean,
                "{fullest} of {slots}: {mean}"
            );
        }
    }

    #[test]
    fn an_interval_shorter_than_a_slot_takes_the_next_slot() {
        assert_eq!(
            candidates(&JobId::new("a").unwrap(), 1, 5, SlotRing::MINUTES),
            [60_000; 2]
        );
    }

    /// A change would move every job within its interval at the next registration.
    #[test]
    fn the_hash_stays_as_it_is() {
        for (id, its_candidates) in [
            ("posts:42", [13_620_000, 50_640_000]),
            ("a", [35_040_000, 29_760_000]),
            ("likes:7@example.org", [4_800_000, 76_320_000]),
        ] {
            let id = JobId::new(id).unwrap();
            let found = candidates(&id, 86_400_000, 0, SlotRing::MINUTES);
            assert_eq!(found, its_candidates, "{id}");
        }
    }
}
