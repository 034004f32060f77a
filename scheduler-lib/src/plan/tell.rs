//! From frequencies to what a plan tells.

use super::{
    Break, Breaking, LevelPlan, PlanInput, ScopePlan, WindowPlan,
    cell::{Cell, MINUTES_A_DAY, Worth},
    shared::{Shared, Window},
};
use crate::ledger::Cushion;

/// A plan as it was found.
pub(super) struct Solved<'a> {
    pub(super) input: &'a PlanInput,
    pub(super) cells: Vec<Cell>,
    pub(super) scopes: Vec<Shared>,
    /// By scope.
    pub(super) prices: Vec<f64>,
    /// By cell: what its jobs go by, and polls per minute of each.
    pub(super) by_cell: Vec<(f64, f64)>,
}

impl Solved<'_> {
    pub(super) fn levels(&self) -> Vec<LevelPlan> {
        (0..self.input.groups.len())
            .map(|at| self.level(at))
            .collect()
    }

    fn level(&self, at: usize) -> LevelPlan {
        let group = &self.input.groups[at];
        let rules = &self.input.rules[&group.job_type];
        let max_age_ms = rules.max_age_ms(&group.level);
        let (mut sums, mut interval_minutes, mut adaptive) = (Sums::default(), 0.0, false);
        for (cell, (price, frequency)) in self.cells.iter().zip(&self.by_cell) {
            if cell.group == at {
                sums.add(cell, *price, *frequency);
                interval_minutes = 1.0 / cell.highest;
                adaptive = matches!(cell.worth, Worth::Adaptive { .. });
            }
        }
        let polls = sums.polls / sums.jobs;
        LevelPlan {
            job_type: group.job_type.clone(),
            level: group.level.clone(),
            jobs: (group.jobs as f64 * self.input.accounts).round() as u64,
            weight: rules.weight(&group.level),
            adaptive,
            interval_minutes,
            max_age_minutes: max_age_ms.map(|ms| ms as f64 / 60_000.0),
            items_per_day: sums.items / sums.jobs * MINUTES_A_DAY,
            polls_per_day: polls * MINUTES_A_DAY,
            mean_interval_minutes: 1.0 / polls,
            staleness_minutes: sums.staleness(),
            held_by_max_age: sums.held / sums.jobs,
            promise_kept: max_age_ms.map(|_| sums.lowest / sums.promised),
            lost: if sums.items > 0.0 {
                sums.lost / sums.items
            } else {
                0.0
            },
        }
    }

    pub(super) fn scopes(&self) -> Vec<ScopePlan> {
        let alike = self.alike();
        alike.iter().map(|places| self.scope(places)).collect()
    }

    /// Places of scopes, those of one name and level together.
    fn alike(&self) -> Vec<Vec<usize>> {
        let mut alike: Vec<Vec<usize>> = Vec::new();
        for (at, scope) in self.scopes.iter().enumerate() {
            match alike.last_mut() {
                Some(last)
                    if self.scopes[last[0]].name == scope.name
                        && self.scopes[last[0]].level == scope.level =>
                {
                    last.push(at);
                }
                _ => alike.push(vec![at]),
            }
        }
        alike
    }

    fn used(&self, scope: &Shared) -> f64 {
        let members = scope.members.iter();
        let used = members.map(|(at, cost)| cost * self.cells[*at].jobs * self.by_cell[*at].1);
        used.sum()
    }

    /// Of scopes that are alike.
    fn scope(&self, places: &[usize]) -> ScopePlan {
        let alike = || places.iter().map(|at| &self.scopes[*at]);
        let first = &self.scopes[places[0]];
        let most = |of: &dyn Fn(&Shared) -> f64| {
            alike()
                .map(|scope| of(scope) / scope.copies)
                .fold(0.0, f64::max)
        };
        let used = most(&|scope| self.used(scope));
        let wanted = most(&|scope| scope.used(&self.cells, |cell| cell.highest));
        let promised = most(&|scope| scope.used(&self.cells, |cell| cell.promised));
        let prices = places.iter().map(|at| self.prices[*at]);
        let windows = first.windows.iter().map(|window| {
            let (available, minutes) = (window.available(), window.minutes());
            WindowPlan {
                limit: window.limit.calls,
                window: window.limit.window,
                others: window.limit.calls as f64 * window.others,
                cushion: window.cushion,
                available,
                wanted: wanted * minutes,
                promised: promised * minutes,
                used: used * minutes,
                use_share: if available > 0.0 {
                    (used * minutes / available).min(1.0)
                } else {
                    1.0
                },
            }
        });
        let copies: f64 = alike().map(|scope| scope.copies).sum();
        ScopePlan {
            scope: first.name.clone(),
            level: first.level.clone(),
            copies: copies.round() as u64,
            windows: windows.collect(),
            price_minutes: prices.fold(0.0, f64::max),
            wanted_per_day: wanted * MINUTES_A_DAY,
            used_per_day: used * MINUTES_A_DAY,
            promised_per_day: promised * MINUTES_A_DAY,
        }
    }

    /// What does not hold whatever the accounts is first, then what breaks first with more of them; then what breaks first as its limit is cut.
    pub(super) fn breaks(&self) -> Vec<Break> {
        let mut breaks = Vec::new();
        for places in self.alike() {
            let scope = &self.scopes[places[0]];
            let fixed =
                |(at, _): &(usize, f64)| matches!(self.cells[*at].worth, Worth::Fixed { .. });
            if scope.members.iter().any(fixed) {
                breaks.extend(self.break_of(scope, Breaking::Intervals, |cell| cell.highest));
            }
            breaks.extend(self.break_of(scope, Breaking::Promises, |cell| cell.promised));
        }
        let key = |found: &Break| {
            // Where accounts make no difference, what breaks does so with none or never.
            let never = if found.holds() { f64::INFINITY } else { 0.0 };
            let accounts = found.accounts.unwrap_or(never);
            let cut = found.least_limit / found.limit.max(1) as f64;
            (accounts, -cut)
        };
        breaks.sort_by(|one, two| {
            let ((one_accounts, one_cut), (two_accounts, two_cut)) = (key(one), key(two));
            one_accounts
                .total_cmp(&two_accounts)
                .then(one_cut.total_cmp(&two_cut))
        });
        breaks
    }

    fn break_of(
        &self,
        scope: &Shared,
        what: Breaking,
        frequency: impl Fn(&Cell) -> f64,
    ) -> Option<Break> {
        let by_minute = scope.used(&self.cells, &frequency) / scope.copies;
        let strictest = |one: &&Window, two: &&Window| {
            let per_minute = |window: &Window| window.available() / window.minutes();
            per_minute(one).total_cmp(&per_minute(two))
        };
        let window = scope.windows.iter().min_by(strictest)?;
        let members = scope.members.iter().map(|(at, _)| &self.cells[*at]);
        let asking = members.filter(|cell| {
            let fixed = matches!(cell.worth, Worth::Fixed { .. });
            frequency(cell) > 0.0 && (fixed || what == Breaking::Promises)
        });
        // The lowest weight gives way first; of those the one with the longest way to go.
        let first = asking.min_by(|one, two| {
            let weight = one.weight.total_cmp(&two.weight);
            weight.then(frequency(one).total_cmp(&frequency(two)))
        })?;
        let group = &self.input.groups[first.group];
        let accounts = window.available() / (by_minute * window.minutes());
        Some(Break {
            what,
            scope: scope.name.clone(),
            level: scope.level.clone(),
            first: (group.job_type.clone(), group.level.clone()),
            accounts: scope
                .level
                .is_none()
                .then_some(accounts * self.input.accounts),
            limit: window.limit.calls,
            window: window.limit.window,
            least_limit: least_limit(scope, window, by_minute * window.minutes()),
        })
    }
}

/// The least limit that leaves so many calls above every cushion.
fn least_limit(scope: &Shared, window: &Window, calls: f64) -> f64 {
    let ours = 1.0 - window.others;
    let least = scope.cushions.iter().map(|cushion| {
        let (fixed, share) = match cushion {
            Cushion::Calls(calls) => (*calls as f64, ours),
            Cushion::Share(share) => (0.0, ours - share),
        };
        if share > 0.0 {
            (calls + fixed) / share
        } else {
            f64::INFINITY
        }
    });
    least.fold(0.0, f64::max)
}

/// Of the cells of a group; each weighed by its jobs.
#[derive(Default)]
struct Sums {
    jobs: f64,
    polls: f64,
    items: f64,
    /// Items times their mean delay.
    delay: f64,
    /// Jobs times the mean delay of an item.
    delay_by_job: f64,
    held: f64,
    promised: f64,
    lowest: f64,
    lost: f64,
}

impl Sums {
    fn add(&mut self, cell: &Cell, price: f64, frequency: f64) {
        // With even gaps an item waits half of one, on average.
        let delay = 0.5 / frequency;
        self.jobs += cell.jobs;
        self.polls += cell.jobs * frequency;
        self.items += cell.jobs * cell.rate;
        if cell.rate > 0.0 {
            self.delay += cell.jobs * cell.rate * delay;
        }
        self.delay_by_job += cell.jobs * delay;
        let free = Cell {
            lowest: 0.0,
            ..cell.clone()
        }
        .frequency(price);
        if cell.lowest > 0.0 && free < cell.lowest {
            self.held += cell.jobs;
        }
        self.promised += cell.jobs * cell.promised;
        self.lowest += cell.jobs * cell.lowest;
        self.lost += cell.jobs * cell.rate * cell.lost_share(frequency);
    }

    fn staleness(&self) -> f64 {
        if self.items > 0.0 {
            self.delay / self.items
        } else {
            self.delay_by_job / self.jobs
        }
    }
}
