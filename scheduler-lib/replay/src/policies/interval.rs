//! Intervals that follow what polls bring: the most overdue is next, so that all calls are used.

use std::collections::VecDeque;

use super::{Settings, largest, minutes};
use crate::Policy;

/// Shortest interval, in minutes. The longest is 16 rounds.
const SHORTEST_MIN: f64 = 1.0;

const LONGEST_ROUNDS: f64 = 16.0;

/// What becomes of the interval.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// As Apache Nutch does.
    Multiply { hit: f64, miss: f64 },
    /// As StormCrawler does: part of the way to the shortest after a hit.
    Approach { share: f64, miss: f64 },
    /// Additive increase, multiplicative decrease, of the frequency in rounds.
    Frequency { add: f64, keep: f64 },
    /// As feed readers do.
    Count,
}

#[derive(Debug)]
pub(super) struct Intervals {
    rule: Rule,
    round_min: f64,
    week_min: f64,
    intervals_min: Vec<f64>,
    last_min: Vec<f64>,
    /// Items of the last week, by account.
    week: Vec<VecDeque<f64>>,
}

impl Intervals {
    pub(super) fn new(settings: &Settings<'_>, rule: Rule) -> Self {
        let round_min = settings.budget.every_min;
        let accounts = settings.trace.accounts.len();
        Self {
            rule,
            round_min,
            week_min: 7.0 * settings.day.as_secs_f64() / 60.0,
            intervals_min: vec![round_min; accounts],
            last_min: settings.last_polls_min().collect(),
            week: vec![VecDeque::new(); accounts],
        }
    }

    fn next(&mut self, minute: i64, account: usize, items_ms: &[i64]) -> f64 {
        let (interval, hit) = (self.intervals_min[account], !items_ms.is_empty());
        match self.rule {
            Rule::Multiply { hit: factor, .. } if hit => interval * factor,
            Rule::Approach { share, .. } if hit => interval + (SHORTEST_MIN - interval) * share,
            Rule::Multiply { miss, .. } | Rule::Approach { miss, .. } => interval * miss,
            Rule::Frequency { add, .. } if hit => {
                self.round_min / (self.round_min / interval + add)
            }
            Rule::Frequency { keep, .. } => interval / keep,
            Rule::Count => {
                let week = &mut self.week[account];
                week.extend(items_ms.iter().map(|item| minutes(*item)));
                while week
                    .front()
                    .is_some_and(|item| *item < minute as f64 - self.week_min)
                {
                    week.pop_front();
                }
                // Without items it is the longest.
                self.week_min / week.len() as f64
            }
        }
    }
}

impl Policy for Intervals {
    fn choose(&mut self, minute: i64, calls: usize) -> Vec<usize> {
        let waits = self.last_min.iter().map(|last| minute as f64 - last);
        let overdue = waits.zip(&self.intervals_min);
        largest(overdue.map(|(wait, interval)| wait / interval), calls)
    }

    fn polled(&mut self, minute: i64, account: usize, items_ms: &[i64]) {
        let longest = self.round_min * LONGEST_ROUNDS;
        let next = self.next(minute, account, items_ms);
        self.intervals_min[account] = next.clamp(SHORTEST_MIN, longest.max(SHORTEST_MIN));
        self.last_min[account] = minute as f64;
    }
}
