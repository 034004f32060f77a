//! What a run comes to, and whether it keeps what is promised.

use crate::{
    meter::{Calls, Meter, Window},
    scenario::{Scenario, TIERS, Tier},
};

/// Most calls of ours that the channel may refuse after the first window, as a share.
pub const REFUSED_AT_MOST: f64 = 0.001;

/// Least share of what is above the cushion that is to be used after the first window.
pub const USED_AT_LEAST: f64 = 0.98;

/// The figures of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Every window, in order.
    pub windows: Vec<Window>,
    /// The service levels, as in [`TIERS`].
    pub tiers: Vec<TierReport>,
    cushion: u64,
}

/// How one service level fared after the first window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TierReport {
    /// Which.
    pub tier: Tier,
    /// Its accounts.
    pub accounts: u64,
    /// Polls of one account, on average.
    pub polls_per_account: f64,
    /// Accounts that were not polled in the whole run.
    pub unpolled: u64,
    /// The time between two polls of an account, on average, seconds.
    pub between_s: f64,
    /// The longest that an account of it waited for a poll in the whole run, seconds.
    pub longest_s: f64,
}

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holds {
    /// Hardly any call is refused.
    pub refused: bool,
    /// No more calls come out of the cushion than were on their way when the first of them
    /// did.
    pub cushion: bool,
    /// What is above the cushion is used.
    pub used: bool,
    /// A level of more weight is polled more often.
    pub tiers: bool,
}

impl Holds {
    /// Whether all of it holds.
    #[must_use]
    pub const fn all(&self) -> bool {
        self.refused && self.cushion && self.used && self.tiers
    }
}

impl Report {
    /// Of what the meter has seen.
    #[must_use]
    pub fn new(scenario: &Scenario, meter: &Meter) -> Self {
        let tiers = (0..TIERS.len()).map(|tier| TierReport::new(tier, scenario, meter));
        Self {
            windows: meter.windows().to_vec(),
            tiers: tiers.collect(),
            cushion: scenario.cushion,
        }
    }

    /// The windows after the first.
    fn later(&self) -> &[Window] {
        self.windows.get(1..).unwrap_or_default()
    }

    /// All calls after the first window.
    #[must_use]
    pub fn calls(&self) -> Calls {
        let mut calls = Calls::default();
        for window in self.later() {
            calls.extend(&window.calls);
        }
        calls
    }

    /// Which share of our calls was refused after the first window.
    #[must_use]
    pub fn refused_share(&self) -> f64 {
        let calls = self.calls();
        calls.refused as f64 / (calls.answered() + calls.refused).max(1) as f64
    }

    /// Which share was used of what the other product left above the cushion: our calls, in our
    /// calls and those above the cushion that the window's end wasted.
    #[must_use]
    pub fn used_share_of(&self, windows: &[Window]) -> f64 {
        let used: u64 = windows.iter().map(|window| window.calls.answered()).sum();
        let wasted: u64 = windows.iter().map(|window| self.wasted(window)).sum();
        used as f64 / (used + wasted).max(1) as f64
    }

    /// The same of all windows after the first.
    #[must_use]
    pub fn used_share(&self) -> f64 {
        self.used_share_of(self.later())
    }

    /// Calls above the cushion that nobody had made when the window ended.
    #[must_use]
    pub const fn wasted(&self, window: &Window) -> u64 {
        window.left.saturating_sub(self.cushion)
    }

    /// The most calls of ours that came out of the cushion in one window, with those on their way
    /// when the first of them did.
    #[must_use]
    pub fn deepest(&self) -> (u64, u64) {
        let windows = self.windows.iter();
        let depths = windows.map(|window| (window.below_cushion, window.in_flight.unwrap_or(0)));
        depths.max().unwrap_or_default()
    }

    /// Whether it keeps what is promised.
    #[must_use]
    pub fn holds(&self) -> Holds {
        let within = |window: &Window| window.below_cushion <= window.in_flight.unwrap_or(0);
        let rising = |pair: &[TierReport]| pair[0].polls_per_account > pair[1].polls_per_account;
        Holds {
            refused: self.refused_share() <= REFUSED_AT_MOST,
            cushion: self.windows.iter().all(within),
            used: self.used_share() >= USED_AT_LEAST,
            tiers: self.tiers.windows(2).all(rising),
        }
    }
}

impl TierReport {
    fn new(tier: usize, scenario: &Scenario, meter: &Meter) -> Self {
        let lasting_ms = scenario.lasting().as_millis() as i64;
        let accounts = meter.accounts(tier).count() as u64;
        let polls: u64 = meter.accounts(tier).map(|account| account.polls).sum();
        let longest_ms = meter
            .accounts(tier)
            .map(|account| account.longest_ms(lasting_ms));
        let measured_ms = (lasting_ms - scenario.window_ms) as f64;
        Self {
            tier: TIERS[tier],
            accounts,
            unpolled: meter.accounts(tier).filter(|one| one.unpolled()).count() as u64,
            polls_per_account: polls as f64 / accounts.max(1) as f64,
            between_s: measured_ms / 1_000.0 * accounts as f64 / polls.max(1) as f64,
            longest_s: longest_ms.max().unwrap_or(0) as f64 / 1_000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{limit::Limit, meter::Caller};

    /// Three windows of ten calls, three of them the cushion.
    struct Bench {
        scenario: Scenario,
        limit: Limit,
        meter: Meter,
    }

    impl Bench {
        fn new() -> Self {
            let scenario = Scenario {
                jobs: 3,
                windows: 3,
                limit: 10,
                cushion: 3,
                ..Scenario::default()
            };
            let offset_ms = scenario.window_offset_ms();
            Self {
                limit: Limit::new(scenario.limit, scenario.window_ms, offset_ms),
                meter: Meter::new(&scenario),
                scenario,
            }
        }

        fn call(&mut self, window: i64, caller: Caller, times: u64) {
            let now_ms = self.scenario.start_ms + window * self.scenario.window_ms;
            for _ in 0..times {
                let answer = self.limit.call(now_ms);
                if self.meter.take_down(now_ms, caller, &answer) {
                    self.meter.in_flight(now_ms, 2);
                }
            }
        }

        fn report(&self) -> Report {
            Report::new(&self.scenario, &self.meter)
        }
    }

    #[test]
    fn the_first_window_is_for_learning() {
        let mut bench = Bench::new();
        bench.call(0, Caller::Ours(0), 11);
        bench.call(1, Caller::Ours(0), 7);
        let report = bench.report();
        assert_eq!(report.calls().answered(), 7);
        assert_eq!(report.refused_share().to_bits(), 0.0f64.to_bits());
    }

    #[test]
    fn a_refused_call_in_a_thousand_is_too_many_in_seven() {
        let mut bench = Bench::new();
        bench.call(1, Caller::Other, 4);
        bench.call(1, Caller::Ours(0), 7);
        let report = bench.report();
        assert!((report.refused_share() - 1.0 / 7.0).abs() < 1e-9);
        assert!(!report.holds().refused);
    }

    #[test]
    fn used_is_what_we_spent_of_what_was_left_to_us_above_the_cushion() {
        let mut bench = Bench::new();
        bench.call(1, Caller::Other, 2);
        bench.call(1, Caller::Ours(0), 4);
        let report = bench.report();
        let second = &report.windows[1..2];
        assert_eq!(report.wasted(&second[0]), 1);
        assert!((report.used_share_of(second) - 4.0 / 5.0).abs() < 1e-9);
        assert!(!report.holds().used, "the third window was not used at all");
    }

    #[test]
    fn as_many_calls_as_are_on_their_way_may_come_out_of_the_cushion() {
        let mut bench = Bench::new();
        bench.call(1, Caller::Other, 8);
        bench.call(1, Caller::Ours(0), 2);
        assert_eq!(bench.report().deepest(), (2, 2));
        assert!(bench.report().holds().cushion);
        let mut bench = Bench::new();
        bench.call(1, Caller::Ours(0), 10);
        assert_eq!(bench.report().deepest(), (3, 2));
        assert!(!bench.report().holds().cushion);
    }

    #[test]
    fn tiers_are_in_order_when_more_weight_means_more_polls() {
        let mut bench = Bench::new();
        // Three accounts are one gold and two silver; nobody is bronze.
        bench.call(1, Caller::Ours(0), 2);
        bench.call(2, Caller::Ours(1), 1);
        let report = bench.report();
        let polls = report.tiers.iter().map(|tier| tier.polls_per_account);
        assert_eq!(polls.collect::<Vec<_>>(), [2.0, 0.5, 0.0]);
        let unpolled = report.tiers.iter().map(|tier| tier.unpolled);
        assert_eq!(unpolled.collect::<Vec<_>>(), [0, 1, 0]);
        assert!((report.tiers[1].between_s - 3_600.0).abs() < 1e-9);
        assert!(report.holds().tiers);
        bench.call(2, Caller::Ours(1), 5);
        assert!(!bench.report().holds().tiers);
    }
}
