//! What a call is worth, and when it is worth its price.

use super::{Activity, MEMORIES, MS_PER_MINUTE, Model, minutes, within};

/// What counts in the worth of a call, apart from what the job does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// What a minute of this job's delay counts, beside others'. Not negative; with 0 the job is
    /// polled only when it comes of age.
    pub weight: f64,
    /// Items that one poll can bring; what is older is lost. At least 1.
    pub page: u32,
    /// Minutes of delay that a lost item counts as.
    pub loss_minutes: f64,
}

impl Default for Terms {
    /// Weight 1, a page of 20, and half a day for a lost item.
    fn default() -> Self {
        Self {
            weight: 1.0,
            page: 20,
            loss_minutes: 720.0,
        }
    }
}

impl Terms {
    /// Within bounds; what is not a number counts nothing.
    fn clamped(self) -> Self {
        Self {
            weight: within(self.weight, 0.0, MOST),
            page: self.page.clamp(1, MOST_ITEMS),
            loss_minutes: within(self.loss_minutes, 0.0, MOST),
        }
    }
}

/// Highest weight and loss that are told apart.
const MOST: f64 = 1e9;

/// Largest page that is told apart.
const MOST_ITEMS: u32 = 1 << 20;

/// Longest time that is looked ahead, in minutes: 60 days, the longest interval.
const FARTHEST_MINUTES: f64 = 60.0 * 24.0 * 60.0;

/// Steps of the search for the time of a price. It needs 4 to 8; each one halves what is left at
/// least.
const MOST_STEPS: u32 = 60;

/// The search ends when the worth is that near the price, relatively.
const NEAR: f64 = 1e-6;

/// What it is worth to poll one job: minutes of delay saved by a call,
///
/// ```text
/// U(s) = w (M s / 2 + L N q^(N+1)),   q = M / (1 + M)
/// ```
///
/// where `s` are the minutes since its last poll and `M` the items expected in them. The first term
/// is what waits, and how long on average. The second is what is about to be pushed off the page of
/// `N` items, when counts are as bursty as a geometric distribution's.
#[derive(Debug, Clone, Copy)]
pub struct Worth {
    model: Model,
    counts: [f64; MEMORIES],
    polled_ms: i64,
    terms: Terms,
}

impl Worth {
    pub(super) fn new(model: Model, activity: &Activity, terms: Terms) -> Self {
        Self {
            model,
            counts: activity.counts(),
            polled_ms: activity.polled_ms(),
            terms: terms.clamped(),
        }
    }

    /// At `now_ms`.
    #[must_use]
    pub fn at(&self, now_ms: i64) -> f64 {
        self.after(minutes(self.polled_ms, now_ms)).0
    }

    /// Items expected between the last poll and `now_ms`.
    #[must_use]
    pub fn items(&self, now_ms: i64) -> f64 {
        let (_, items) = self
            .model
            .expected(&self.counts, minutes(self.polled_ms, now_ms));
        items
    }

    /// When a call is worth `price`: UTC milliseconds, after the last poll and at most 60 days
    /// after it.
    #[must_use]
    pub fn due_ms(&self, price: f64) -> i64 {
        let ahead_ms = self.minutes_until(price) * MS_PER_MINUTE;
        self.polled_ms
            .saturating_add(ahead_ms.ceil().max(1.0) as i64)
    }

    /// Newton's method on the logarithms of worth and time, in which the worth is nearly a straight
    /// line; between bounds that close in, so that it always ends.
    fn minutes_until(&self, price: f64) -> f64 {
        let (mut low, mut high) = (0.0, FARTHEST_MINUTES);
        let (worth, _) = self.after(high);
        if worth <= price || price.is_nan() {
            return high;
        }
        if price <= 0.0 {
            return low;
        }
        let mut at: f64 = 60.0;
        for _ in 0..MOST_STEPS {
            let (worth, slope) = self.after(at);
            if worth < price {
                low = at;
            } else {
                high = at;
            }
            if (worth / price - 1.0).abs() < NEAR {
                break;
            }
            let next = at * (price / worth).powf(worth / (slope * at));
            at = if next > low && next < high {
                next
            } else {
                f64::midpoint(low, high)
            };
        }
        at
    }

    /// The worth, and how much it grows per minute.
    fn after(&self, minutes: f64) -> (f64, f64) {
        let Terms {
            weight,
            page,
            loss_minutes,
        } = self.terms;
        let (rate, items) = self.model.expected(&self.counts, minutes);
        let page = page as i32;
        let q = items / (1.0 + items);
        let overflow = loss_minutes * f64::from(page) * q.powi(page);
        let growth = f64::from(page + 1) * rate / (1.0 + items).powi(2);
        (
            weight * (items * minutes / 2.0 + overflow * q),
            weight * (f64::midpoint(rate * minutes, items) + overflow * growth),
        )
    }
}
