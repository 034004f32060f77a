//! What a run consists of.

use std::{num::NonZeroU32, ops::Range, time::Duration};

use polling_model::{ChannelId, SlotRing};

/// A service level of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tier {
    /// Its name.
    pub name: &'static str,
    /// How much a minute of delay counts.
    pub weight: f64,
    /// How many of seven accounts have it.
    pub of_seven: u64,
}

/// Gold, silver and bronze, by falling weight.
pub const TIERS: [Tier; 3] = [
    Tier::new("gold", 4.0, 1),
    Tier::new("silver", 2.0, 2),
    Tier::new("bronze", 1.0, 4),
];

impl Tier {
    const fn new(name: &'static str, weight: f64, of_seven: u64) -> Self {
        Self {
            name,
            weight,
            of_seven,
        }
    }

    /// The place in [`TIERS`] of an account, by its number.
    #[must_use]
    pub const fn of_account(account: u64) -> usize {
        match account % 7 {
            0 => 0,
            1 | 2 => 1,
            _ => 2,
        }
    }

    /// The place in [`TIERS`] of a level, if it is one of them.
    #[must_use]
    pub fn named(name: &str) -> Option<usize> {
        TIERS.iter().position(|tier| tier.name == name)
    }
}

/// One run. Everything that is drawn follows from the seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Of the other product's bursts, of how long calls take, and of the replicas' own draws.
    pub seed: u64,
    /// Jobs, one call each.
    pub jobs: u64,
    /// Windows that the run lasts. In the first one nothing is known of the limit yet.
    pub windows: u64,
    /// Calls per window, of all products together.
    pub limit: u64,
    /// How long a window lasts, milliseconds.
    pub window_ms: i64,
    /// Calls that are not ours to spend.
    pub cushion: u64,
    /// Which share of the limit the other product spends, drawn for each window.
    pub other_share: Range<f64>,
    /// Calls that our intervals ask for, in those that are left on average.
    pub demand: f64,
    /// Schedulers on one store.
    pub schedulers: u64,
    /// Workers on one queue.
    pub workers: u64,
    /// Polls that one worker runs at once.
    pub concurrency: usize,
    /// How long a call takes, milliseconds.
    pub call_ms: Range<u64>,
    /// How long a slot is.
    pub ring: SlotRing,
    /// When the run begins, and a window with it, UTC milliseconds.
    pub start_ms: i64,
    /// The channel's name.
    pub channel: ChannelId,
}

/// When a run begins unless set otherwise, UTC milliseconds: not with a slot. Channels do not know
/// of our slots.
const START_MS: i64 = 1_709_164_837_000;

impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: 1,
            jobs: 10_000,
            windows: 8,
            limit: 5_000,
            window_ms: 900_000,
            cushion: 500,
            other_share: 0.2..0.6,
            demand: 2.0,
            schedulers: 3,
            workers: 4,
            concurrency: 64,
            call_ms: 200..2_000,
            ring: SlotRing::MINUTES,
            start_ms: START_MS,
            channel: ChannelId::new("shared").expect("shared is a valid channel"),
        }
    }
}

impl Scenario {
    /// Thirty times as fast and a fraction of the size, for real time.
    #[must_use]
    pub fn of_seconds() -> Self {
        Self {
            jobs: 2_400,
            windows: 6,
            limit: 1_200,
            window_ms: 30_000,
            cushion: 120,
            concurrency: 32,
            call_ms: 20..200,
            ring: SlotRing::SECONDS,
            ..Self::default()
        }
    }

    /// Calls that the other product leaves above the cushion in a window, on average.
    #[must_use]
    pub fn mean_left(&self) -> f64 {
        let share = f64::midpoint(self.other_share.start, self.other_share.end);
        (self.limit as f64 * (1.0 - share) - self.cushion as f64).max(1.0)
    }

    /// The interval of every job, at which all of them ask for [`demand`](Self::demand) times what
    /// is left; whole slots.
    #[must_use]
    pub fn interval(&self) -> Duration {
        let wanted = self.demand * self.mean_left();
        let interval_ms = self.jobs as f64 * self.window_ms as f64 / wanted;
        let slots = (interval_ms / self.ring.width_ms() as f64).round().max(1.0);
        Duration::from_millis(slots as u64 * self.ring.width_ms().unsigned_abs())
    }

    /// Calls that all workers together let through a second: half as many again as the limit has
    /// room for. So a slot's calls go out one after the other instead of all at once, the answers to
    /// the first tell what the other product has spent meanwhile, and few are on their way if that
    /// is all there was.
    #[must_use]
    pub fn paced_per_s(&self) -> NonZeroU32 {
        let per_s = 1.5 * self.limit as f64 * 1_000.0 / self.window_ms as f64;
        NonZeroU32::new(per_s.ceil() as u32).unwrap_or(NonZeroU32::MIN)
    }

    /// How long a slot is.
    #[must_use]
    pub fn slot(&self) -> Duration {
        Duration::from_millis(self.ring.width_ms().unsigned_abs())
    }

    /// How far the channel's windows are off from whole windows since the epoch, milliseconds.
    #[must_use]
    pub const fn window_offset_ms(&self) -> i64 {
        self.start_ms.rem_euclid(self.window_ms)
    }

    /// How long it lasts.
    #[must_use]
    pub fn lasting(&self) -> Duration {
        Duration::from_millis(self.windows * self.window_ms.unsigned_abs())
    }

    /// The same in slots.
    #[must_use]
    pub fn slots(&self) -> u64 {
        self.lasting().as_millis() as u64 / self.ring.width_ms().unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_ask_for_twice_what_is_left() {
        let scenario = Scenario::default();
        assert_eq!(scenario.mean_left() as u64, 2_500);
        assert_eq!(scenario.interval(), Duration::from_secs(1_800));
        assert_eq!(scenario.paced_per_s().get(), 9);
        let fast = Scenario::of_seconds();
        assert_eq!(fast.mean_left() as u64, 600);
        assert_eq!(fast.interval(), Duration::from_secs(60));
    }

    #[test]
    fn seven_accounts_are_one_gold_two_silver_four_bronze() {
        let mut counts = [0; 3];
        for account in 0..7 {
            counts[Tier::of_account(account)] += 1;
        }
        assert_eq!(counts, TIERS.map(|tier| tier.of_seven));
    }

    #[test]
    fn a_run_begins_with_a_window_but_not_with_a_slot() {
        let scenario = Scenario::default();
        let since_ms = scenario.start_ms - scenario.window_offset_ms();
        assert_eq!(since_ms % scenario.window_ms, 0);
        assert_ne!(scenario.start_ms % scenario.ring.width_ms(), 0);
        assert_eq!(scenario.slots(), 120);
    }
}
