//! What happened to a limit, step by step, window by window and account by account.

use crate::{
    limit::Answer,
    scenario::{Scenario, TIERS, Tier},
};

/// So many steps of the meter are one slot. Slots are whole seconds, so that steps are whole
/// milliseconds and windows whole steps.
const STEPS_PER_SLOT: i64 = 5;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A job of ours, by the number of its account.
    Ours(u64),
    /// The other product.
    Other,
}

/// Calls by who made them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// Ours that were answered, by level as in [`TIERS`].
    pub ours: [u64; TIERS.len()],
    /// Ours that were refused.
    pub refused: u64,
    /// The other product's that were answered.
    pub other: u64,
    /// The other product's that were refused.
    pub other_refused: u64,
}

/// A fifth of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When it begins, milliseconds since the run's beginning.
    pub at_ms: i64,
    /// The calls made in it.
    pub calls: Calls,
    /// Calls left when it ends.
    pub remaining: u64,
}

/// One window of the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The calls made in it.
    pub calls: Calls,
    /// Calls left when it ends.
    pub left: u64,
    /// Calls of ours that came out of the cushion, though it may be the other product that used up
    /// what was above it.
    pub below_cushion: u64,
    /// Calls of ours on their way when the first of them came out of the cushion: those may do so
    /// too, since nobody could know. `None` if none did.
    pub in_flight: Option<u64>,
}

/// One account of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// Polls answered after the first window.
    pub polls: u64,
    /// The last of all, milliseconds since the run's beginning.
    last_ms: i64,
    /// The longest time between two, or between one and the run's ends.
    longest_ms: i64,
}

/// Takes down every call.
#[derive(Debug, Clone, PartialEq)]
pub struct Meter {
    start_ms: i64,
    step_ms: i64,
    window_ms: i64,
    limit: u64,
    cushion: u64,
    steps: Vec<Step>,
    windows: Vec<Window>,
    accounts: Vec<Account>,
}

impl Meter {
    /// One that has seen nothing.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let step_ms = (scenario.ring.width_ms() / STEPS_PER_SLOT).max(1);
        let lasting_ms = scenario.lasting().as_millis() as i64;
        let step = |number| Step {
            at_ms: number * step_ms,
            calls: Calls::default(),
            remaining: u64::MAX,
        };
        let window = Window {
            calls: Calls::default(),
            left: scenario.limit,
            below_cushion: 0,
            in_flight: None,
        };
        Self {
            start_ms: scenario.start_ms,
            step_ms,
            window_ms: scenario.window_ms,
            limit: scenario.limit,
            cushion: scenario.cushion,
            steps: (0..lasting_ms.div_euclid(step_ms)).map(step).collect(),
            windows: vec![window; scenario.windows as usize],
            accounts: vec![Account::default(); scenario.jobs as usize],
        }
    }

    /// Takes down a call and its answer. Returns whether it is the first of ours that comes out of
    /// its window's cushion: then [`Self::in_flight`] is to be told. What comes after the run's end
    /// is left out.
    pub(crate) fn take_down(&mut self, now_ms: i64, caller: Caller, answer: &Answer) -> bool {
        let at_ms = now_ms - self.start_ms;
        let (Some(step), Some(window)) = (
            self.steps.get_mut(index(at_ms, self.step_ms)),
            self.windows.get_mut(index(at_ms, self.window_ms)),
        ) else {
            return false;
        };
        step.calls.add(caller, answer.admitted);
        step.remaining = answer.remaining;
        window.calls.add(caller, answer.admitted);
        window.left = answer.remaining;
        let (Caller::Ours(account), true) = (caller, answer.admitted) else {
            return false;
        };
        if let Some(account) = self.accounts.get_mut(account as usize) {
            account.polled(at_ms, at_ms >= self.window_ms);
        }
        let below = answer.remaining < self.cushion;
        window.below_cushion += u64::from(below);
        below && window.below_cushion == 1
    }

    /// So many calls of ours were on their way when the first of this time's window came out of its
    /// cushion.
    pub(crate) fn in_flight(&mut self, now_ms: i64, calls: u64) {
        let window = index(now_ms - self.start_ms, self.window_ms);
        if let Some(window) = self.windows.get_mut(window) {
            window.in_flight.get_or_insert(calls);
        }
    }

    /// Every step, in order.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = self.steps.clone();
        let mut remaining = self.limit;
        for step in &mut steps {
            if step.at_ms % self.window_ms == 0 {
                remaining = self.limit;
            }
            if step.remaining == u64::MAX {
                step.remaining = remaining;
            }
            remaining = step.remaining;
        }
        steps
    }

    /// How long a step is, milliseconds.
    #[must_use]
    pub const fn step_ms(&self) -> i64 {
        self.step_ms
    }

    /// Every window, in order.
    #[must_use]
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// The accounts of one level.
    pub fn accounts(&self, tier: usize) -> impl Iterator<Item = &Account> {
        let numbered = (0..).zip(&self.accounts);
        let of_tier = numbered.filter(move |(number, _)| Tier::of_account(*number) == tier);
        of_tier.map(|(_, account)| account)
    }
}

/// Which of so long parts a time falls into; none of them if it is before the first.
fn index(at_ms: i64, each_ms: i64) -> usize {
    usize::try_from(at_ms.div_euclid(each_ms)).unwrap_or(usize::MAX)
}

impl Calls {
    fn add(&mut self, caller: Caller, admitted: bool) {
        let count = match (caller, admitted) {
            (Caller::Ours(account), true) => &mut self.ours[Tier::of_account(account)],
            (Caller::Ours(_), false) => &mut self.refused,
            (Caller::Other, true) => &mut self.other,
            (Caller::Other, false) => &mut self.other_refused,
        };
        *count += 1;
    }

    /// Adds those of another time.
    pub fn extend(&mut self, more: &Self) {
        for (sum, ours) in self.ours.iter_mut().zip(more.ours) {
            *sum += ours;
        }
        self.refused += more.refused;
        self.other += more.other;
        self.other_refused += more.other_refused;
    }

    /// Ours that were answered.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.ours.iter().sum()
    }
}

impl Account {
    fn polled(&mut self, at_ms: i64, counts: bool) {
        self.polls += u64::from(counts);
        self.longest_ms = self.longest_ms.max(at_ms - self.last_ms);
        self.last_ms = at_ms;
    }

    /// Whether it was not polled in the whole run.
    pub(crate) const fn unpolled(&self) -> bool {
        self.longest_ms == 0
    }

    /// The longest time without a poll in a run that lasted so long, milliseconds.
    #[must_use]
    pub fn longest_ms(&self, lasting_ms: i64) -> i64 {
        self.longest_ms.max(lasting_ms - self.last_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Limit;

    struct Bench {
        scenario: Scenario,
        limit: Limit,
        meter: Meter,
    }

    impl Bench {
        /// Two windows of ten calls, three of them the cushion.
        fn new() -> Self {
            let scenario = Scenario {
                jobs: 7,
                windows: 2,
                limit: 10,
                cushion: 3,
                ..Scenario::default()
            };
            Self {
                limit: Limit::new(
                    scenario.limit,
                    scenario.window_ms,
                    scenario.window_offset_ms(),
                ),
                meter: Meter::new(&scenario),
                scenario,
            }
        }

        /// Whether it is the first of ours out of the cushion.
        fn call(&mut self, at_ms: i64, caller: Caller) -> bool {
            let now_ms = self.scenario.start_ms + at_ms;
            let answer = self.limit.call(now_ms);
            self.meter.take_down(now_ms, caller, &answer)
        }
    }

    #[test]
    fn calls_are_counted_by_who_made_them_and_in_their_window() {
        let mut bench = Bench::new();
        for account in 0..7 {
            bench.call(account as i64, Caller::Ours(account));
        }
        bench.call(900_000, Caller::Other);
        let [first, second] = bench.meter.windows() else {
            panic!("two windows")
        };
        assert_eq!(first.calls.ours, [1, 2, 4]);
        assert_eq!((first.calls.other, first.left), (0, 3));
        assert_eq!((second.calls.other, second.left), (1, 9));
    }

    #[test]
    fn ours_out_of_the_cushion_are_counted_and_the_first_is_told() {
        let mut bench = Bench::new();
        let six = (0..6).map(|at| bench.call(at, Caller::Other));
        assert_eq!(six.collect::<Vec<_>>(), [false; 6]);
        assert!(!bench.call(7, Caller::Ours(0)), "the cushion is whole");
        assert!(!bench.call(8, Caller::Other), "not ours");
        assert!(bench.call(9, Caller::Ours(0)));
        assert!(!bench.call(10, Caller::Ours(0)), "not the first");
        assert!(!bench.call(11, Caller::Ours(0)), "refused");
        let window = bench.meter.windows()[0];
        assert_eq!((window.below_cushion, window.calls.refused), (2, 1));
    }

    #[test]
    fn what_is_left_stays_until_the_next_call_and_is_whole_in_the_next_window() {
        let mut bench = Bench::new();
        bench.call(25_000, Caller::Other);
        let steps = bench.meter.steps();
        assert_eq!(steps.len(), 150);
        let left: Vec<u64> = steps.iter().map(|step| step.remaining).collect();
        assert_eq!(left[..4], [10, 10, 9, 9]);
        assert_eq!(left[74..76], [9, 10]);
    }

    #[test]
    fn only_polls_after_the_first_window_count_for_an_account() {
        let mut bench = Bench::new();
        bench.call(100_000, Caller::Ours(0));
        bench.call(1_000_000, Caller::Ours(0));
        let account = *bench.meter.accounts(0).next().unwrap();
        assert_eq!(account.polls, 1);
        assert_eq!(account.longest_ms(1_800_000), 900_000);
        assert_eq!(account.longest_ms(2_000_000), 1_000_000);
    }

    #[test]
    fn what_comes_after_the_end_is_left_out() {
        let mut bench = Bench::new();
        let before = bench.meter.clone();
        assert!(!bench.call(1_800_000, Caller::Other));
        assert_eq!(bench.meter, before);
    }
}
