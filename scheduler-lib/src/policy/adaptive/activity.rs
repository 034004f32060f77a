//! What is remembered of one job.

use std::{fmt, str::FromStr};

use super::{MEMORIES, Model, minutes};

/// The items that a job brought lately, as three counts that fade. 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Activity {
    /// Items seen, each weighted by how much of it each memory still holds at the last poll.
    counts: [f32; MEMORIES],
    /// Of the last poll that told anything; UTC milliseconds.
    polled_ms: i64,
}

impl Activity {
    /// Of a job about which nothing is known, from `now_ms` on.
    #[must_use]
    pub const fn since(now_ms: i64) -> Self {
        Self {
            counts: [0.0; MEMORIES],
            polled_ms: now_ms,
        }
    }

    /// Of a new job whose first poll brought a page of items: what is older than the job counts
    /// too, so that it starts warm.
    #[must_use]
    pub fn first_page(now_ms: i64, created_ms: &[i64], model: &Model) -> Self {
        let mut counts = [0.0; MEMORIES];
        for &at_ms in created_ms {
            add(&mut counts, &model.kept(minutes(at_ms, now_ms)));
        }
        Self::at(counts, now_ms)
    }

    /// After a poll at `now_ms` that brought items created then, oldest first. A time outside of
    /// what the poll can have seen is moved to its nearer end. A poll that failed saw nothing:
    /// leave the activity as it is.
    #[must_use]
    pub fn polled(&self, now_ms: i64, created_ms: &[i64], model: &Model) -> Self {
        let mut counts = self.faded(now_ms, model);
        for &at_ms in created_ms {
            add(&mut counts, &model.kept(self.age(at_ms, now_ms)));
        }
        Self::at(counts, now_ms.max(self.polled_ms))
    }

    /// When it was last polled; UTC milliseconds.
    #[must_use]
    pub const fn polled_ms(&self) -> i64 {
        self.polled_ms
    }

    /// What each memory holds at `now_ms`.
    pub(super) fn faded(&self, now_ms: i64, model: &Model) -> [f64; MEMORIES] {
        let kept = model.kept(minutes(self.polled_ms, now_ms));
        let mut counts = self.counts();
        for (count, kept) in counts.iter_mut().zip(kept) {
            *count *= kept;
        }
        counts
    }

    /// What each memory held at the last poll.
    pub(super) fn counts(&self) -> [f64; MEMORIES] {
        self.counts.map(f64::from)
    }

    /// Minutes between an item and the poll at `now_ms` that brought it.
    pub(super) fn age(&self, created_ms: i64, now_ms: i64) -> f64 {
        minutes(created_ms, now_ms).min(minutes(self.polled_ms, now_ms))
    }

    fn at(counts: [f64; MEMORIES], polled_ms: i64) -> Self {
        let counts = counts.map(|count| count as f32);
        Self { counts, polled_ms }
    }
}

/// Hexadecimal digits of a count.
const COUNT_LEN: usize = 8;

/// The bits of each count as hexadecimal digits, then the time of the poll.
impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for count in self.counts {
            write!(f, "{:0COUNT_LEN$x}", count.to_bits())?;
        }
        write!(f, "{}", self.polled_ms)
    }
}

/// Why a text is not an [`Activity`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an activity: it has {MEMORIES} counts from 0 on, of {COUNT_LEN} hexadecimal digits each, and the milliseconds of a poll"
)]
pub struct ActivityError;

impl FromStr for Activity {
    type Err = ActivityError;

    fn from_str(text: &str) -> Result<Self, ActivityError> {
        let (digits, polled_ms) = text
            .split_at_checked(MEMORIES * COUNT_LEN)
            .ok_or(ActivityError)?;
        let mut counts = [0.0; MEMORIES];
        for (count, digits) in counts.iter_mut().zip(digits.as_bytes().chunks(COUNT_LEN)) {
            *count = count_of(digits).ok_or(ActivityError)?;
        }
        Ok(Self {
            counts,
            polled_ms: polled_ms.parse().map_err(|_| ActivityError)?,
        })
    }
}

fn count_of(digits: &[u8]) -> Option<f32> {
    let mut bits = 0;
    for digit in digits {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        bits = bits << 4 | u32::from(value);
    }
    let count = f32::from_bits(bits);
    (count.is_finite() && count.is_sign_positive()).then_some(count)
}

fn add(counts: &mut [f64; MEMORIES], kept: &[f64; MEMORIES]) {
    for (count, kept) in counts.iter_mut().zip(kept) {
        *count += kept;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn model() -> Model {
        Model::new(Duration::from_secs(24 * 3600))
    }

    #[test]
    fn it_is_small_enough_to_be_kept_with_every_job() {
        assert!(size_of::<Activity>() <= 48);
    }

    #[test]
    fn an_item_is_half_forgotten_after_each_half_life() {
        let model = model();
        let seen = Activity::since(0).polled(MINUTE_MS, &[MINUTE_MS], &model);
        for (memory, half_life) in [(0, 30), (1, 24 * 60), (2, 7 * 24 * 60)] {
            let later = seen.faded((1 + half_life) * MINUTE_MS, &model);
            assert!((later[memory] - 0.5).abs() < 1e-6, "{later:?}");
        }
    }

    #[test]
    fn it_does_not_matter_which_poll_brought_an_item() {
        let model = model();
        let items: Vec<_> = (1..=60).map(|n| n * MINUTE_MS).collect();
        let (early, late) = items.split_at(30);
        let once = Activity::since(0).polled(90 * MINUTE_MS, &items, &model);
        let twice = Activity::since(0)
            .polled(30 * MINUTE_MS, early, &model)
            .polled(90 * MINUTE_MS, late, &model);
        for (one, two) in once.counts().into_iter().zip(twice.counts()) {
            assert!((one - two).abs() < 1e-4 * one, "{one} {two}");
        }
    }

    #[test]
    fn times_that_the_poll_cannot_have_seen_are_moved_to_its_ends() {
        let model = model();
        let before = Activity::since(10 * MINUTE_MS);
        let now_ms = 20 * MINUTE_MS;
        for (told, taken) in [
            (i64::MIN, 10 * MINUTE_MS),
            (0, 10 * MINUTE_MS),
            (i64::MAX, now_ms),
        ] {
            let one = before.polled(now_ms, &[told], &model);
            assert_eq!(one, before.polled(now_ms, &[taken], &model), "{told}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_neither_ages_nor_renews_anything() {
        let before = Activity::since(MINUTE_MS);
        assert_eq!(before.polled(0, &[], &model()), before);
    }

    #[test]
    fn a_first_page_counts_what_is_older_than_the_job() {
        let model = model();
        let week_ago_ms = -7 * 24 * 60 * MINUTE_MS;
        let warm = Activity::first_page(0, &[week_ago_ms], &model);
        assert!((warm.counts()[2] - 0.5).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn its_text_tells_all_of_it(
            counts in [0..f32::INFINITY.to_bits(), 0..f32::INFINITY.to_bits(), 0..f32::INFINITY.to_bits()],
            polled_ms: i64,
        ) {
            let counts = counts.map(f32::from_bits);
            let activity = Activity { counts, polled_ms };
            prop_assert_eq!(activity.to_string().parse(), Ok(activity));
        }

        #[test]
        fn a_text_that_is_taken_is_one_it_would_write(text in "[0-9a-fA-F+é -]{20,40}") {
            if let Ok(activity) = text.parse::<Activity>() {
                prop_assert_eq!(&activity.to_string()[..24], &text[..24]);
            }
        }
    }

    #[test]
    fn a_text_that_no_activity_has_is_refused() {
        let text = |count: &str, polled: &str| format!("{count}0000000000000000{polled}");
        assert!(text("3f800000", "-1").parse::<Activity>().is_ok());
        for bad in [
            String::new(),
            text("3f800000", ""),
            text("3f800000", "soon"),
            text("3f800000", "9223372036854775808"),
            text("3f80000", "1"),
            text("3F800000", "1"),
            text("+f800000", "1"),
            text("3f80000é", "1"),
            text(&format!("{:08x}", f32::NAN.to_bits()), "1"),
            text(&format!("{:08x}", f32::INFINITY.to_bits()), "1"),
            text(&format!("{:08x}", (-1.0f32).to_bits()), "1"),
            text(&format!("{:08x}", (-0.0f32).to_bits()), "1"),
        ] {
            assert_eq!(bad.parse::<Activity>(), Err(ActivityError), "{bad}");
        }
    }
}
