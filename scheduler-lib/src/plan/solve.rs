//! Prices at which calls fit the limits.

use super::{cell::Cell, shared::Shared};

/// Rounds over all scopes. With one scope two are enough; scopes that hold the same jobs back need
/// more.
const MOST_ROUNDS: u32 = 200;

/// Rounds after which prices are followed in longer steps than they took.
const MOST_STRIDES: u32 = 100;

/// Steps of the search for a price.
const MOST_STEPS: u32 = 120;

/// Prices are found to this, relatively.
const NEAR: f64 = 1e-11;

/// Use within this of the budget fits, relatively.
const FITS: f64 = 1e-9;

/// Above this there is no price.
const HIGHEST: f64 = 1e24;

/// Cuts promises that do not fit, from the lowest weight up; those of one weight alike.
pub(super) fn cut_promises(cells: &mut [Cell], scopes: &[Shared]) {
    for scope in scopes {
        let all = scope.used(cells, |cell| cell.lowest);
        let mut over = all - scope.budget();
        let weighed = scope.members.iter();
        let weighed = weighed.map(|(at, cost)| (cells[*at].weight, *at, *cost));
        let mut members: Vec<(f64, usize, f64)> = weighed.collect();
        members.sort_by(|one, two| one.0.total_cmp(&two.0));
        for alike in members.chunk_by(|one, two| one.0.total_cmp(&two.0).is_eq()) {
            if over <= 0.0 {
                break;
            }
            let uses = alike.iter();
            let uses = uses.map(|(_, at, cost)| cost * cells[*at].jobs * cells[*at].lowest);
            let used: f64 = uses.sum();
            // What is left of sums that are equal is nothing.
            let rest = used - over;
            let kept = if rest > all * NEAR { rest / used } else { 0.0 };
            for (_, at, _) in alike {
                cells[*at].lowest *= kept;
            }
            over -= used;
        }
    }
}

/// The price of each scope: 0 where all that is wanted fits, without end where nothing but what is
/// promised does. A job goes by the sum of its scopes' prices.
///
/// Each scope's price in turn is raised or lowered until its use fits: in a convex problem that
/// ends at the only answer. Where two scopes hold the same jobs back, one a little more, prices
/// wander from one to the other in small steps: they are followed in ever longer ones. The last
/// round only raises, so that nothing is used twice.
pub(super) fn prices(cells: &[Cell], scopes: &[Shared]) -> Vec<f64> {
    let mut prices = Prices {
        cells,
        scopes,
        of_cell: vec![Vec::new(); cells.len()],
        prices: vec![0.0; scopes.len()],
    };
    for (at, scope) in scopes.iter().enumerate() {
        for (cell, _) in &scope.members {
            prices.of_cell[*cell].push(at);
        }
    }
    let (mut stride, mut last) = (0.0_f64, Vec::new());
    for round in 0..MOST_ROUNDS {
        let before = prices.prices.clone();
        if !prices.round(0.0) {
            break;
        }
        let moved = difference(&prices.prices, &before);
        stride = if alike(&moved, &last) {
            (2.0 * stride).max(1.0)
        } else {
            0.0
        };
        if round < MOST_STRIDES {
            prices.go_on(&moved, stride);
        }
        last = moved;
    }
    prices.round(1.0);
    prices.prices
}

/// What each cell goes by.
pub(super) fn by_cell(cells: &[Cell], scopes: &[Shared], prices: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; cells.len()];
    for (scope, price) in scopes.iter().zip(prices) {
        for (cell, _) in &scope.members {
            sums[*cell] += price;
        }
    }
    sums
}

/// By scope; 0 where there is no end to it.
fn difference(prices: &[f64], before: &[f64]) -> Vec<f64> {
    let pairs = prices.iter().zip(before);
    let moved = pairs.map(|(price, before)| price - before);
    moved
        .map(|moved| if moved.is_finite() { moved } else { 0.0 })
        .collect()
}

/// Whether prices move in the same direction, all in all.
fn alike(moved: &[f64], last: &[f64]) -> bool {
    let along: f64 = moved.iter().zip(last).map(|(one, two)| one * two).sum();
    along > 0.0
}

struct Prices<'a> {
    cells: &'a [Cell],
    scopes: &'a [Shared],
    /// Scopes by cell.
    of_cell: Vec<Vec<usize>>,
    prices: Vec<f64>,
}

impl Prices<'_> {
    /// So many times as far as they moved.
    fn go_on(&mut self, moved: &[f64], stride: f64) {
        for (price, moved) in self.prices.iter_mut().zip(moved) {
            if price.is_finite() {
                *price = stride.mul_add(*moved, *price).max(0.0);
            }
        }
    }

    /// Sets each price, not below `kept` times what it was. Whether any changed.
    fn round(&mut self, kept: f64) -> bool {
        let mut changed = false;
        for at in 0..self.scopes.len() {
            let before = self.prices[at];
            let price = self.fitting(at, before * kept);
            self.prices[at] = price;
            let finite = price.is_finite() && before.is_finite();
            let near = finite && (price - before).abs() <= 1e3 * NEAR * price;
            changed |= !near && price.total_cmp(&before).is_ne();
        }
        changed
    }

    /// The lowest price from `least` on at which a scope's use fits.
    fn fitting(&self, at: usize, least: f64) -> f64 {
        let scope = &self.scopes[at];
        let most = scope.budget() * (1.0 + FITS);
        let others: Vec<f64> = scope
            .members
            .iter()
            .map(|(cell, _)| {
                let scopes = self.of_cell[*cell].iter().filter(|scope| **scope != at);
                scopes.map(|scope| self.prices[*scope]).sum()
            })
            .collect();
        let fits = |price: f64| {
            let members = scope.members.iter().zip(&others);
            let used = members.map(|((cell, cost), others)| {
                let cell = &self.cells[*cell];
                cost * cell.jobs * cell.frequency(others + price)
            });
            used.sum::<f64>() <= most
        };
        if fits(least) {
            return least;
        }
        // Bounds around the price, from a guess: what it was.
        let mut high = self.prices[at].clamp(1e-9, HIGHEST / 2.0);
        let mut low = high;
        while !fits(high) {
            low = high;
            high *= 16.0;
            if high > HIGHEST {
                return f64::INFINITY;
            }
        }
        while low > least.max(f64::MIN_POSITIVE * 16.0) && fits(low) {
            high = low;
            low /= 16.0;
        }
        low = low.max(least);
        for _ in 0..MOST_STEPS {
            if high - low <= NEAR * high {
                break;
            }
            let middle = if low > 0.0 {
                (low * high).sqrt()
            } else {
                high / 2.0
            };
            if fits(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}
