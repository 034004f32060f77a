//! Counts polls and dispatches from outside, by what leaves the store and what reaches the channel.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::Range,
};

use polling_model::{JobId, Token};

use crate::cycle::measures::{Counted, Measures, Overdue};

/// The second over which the peak of dispatches is taken, milliseconds.
const SECOND_MS: i64 = 1_000;

/// What to count, UTC milliseconds; empty ranges count nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans {
    /// An outage.
    pub(crate) outage: Range<i64>,
    /// Whole days.
    pub(crate) counted: Range<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) measures: Measures,
    spans: Spans,
    jobs: BTreeMap<JobId, Polls>,
    /// Polls of dispatches that have no accepted completion. Only asked, never walked through.
    open: HashMap<Token, u64>,
    useful: u64,
    /// Dispatches of the last second.
    recent: VecDeque<(i64, u64)>,
    recent_jobs: u64,
}

/// The polls of one job.
#[derive(Debug, Default)]
struct Polls {
    /// When it was registered, or polled last.
    last_ms: i64,
    overdue: u64,
    counted: u64,
}

impl Meter {
    pub(super) fn new(spans: Spans) -> Self {
        Self {
            spans,
            ..Self::default()
        }
    }

    pub(super) fn registered(&mut self, job: &JobId, now_ms: i64) {
        let polls = self.jobs.entry(job.clone()).or_default();
        polls.last_ms = now_ms;
    }

    pub(super) fn dispatched(&mut self, jobs: u64, now_ms: i64) {
        self.measures.dispatched += jobs;
        self.recent.push_back((now_ms, jobs));
        self.recent_jobs += jobs;
        while let Some((at_ms, jobs)) = self.recent.front()
            && *at_ms <= now_ms - SECOND_MS
        {
            self.recent_jobs -= jobs;
            self.recent.pop_front();
        }
        self.measures.dispatched_peak = self.measures.dispatched_peak.max(self.recent_jobs);
    }

    pub(super) fn polled(&mut self, job: &JobId, token: Token, due_ms: i64, now_ms: i64) {
        self.measures.polls += 1;
        *self.open.entry(token).or_insert(0) += 1;
        let Some(polls) = self.jobs.get_mut(job) else {
            return;
        };
        let gap_ms = now_ms - polls.last_ms;
        self.measures.longest_gap_ms = self.measures.longest_gap_ms.max(gap_ms);
        polls.last_ms = now_ms;
        polls.counted += u64::from(self.spans.counted.contains(&due_ms));
        let outage = &self.spans.outage;
        if outage.contains(&due_ms) && now_ms >= outage.end {
            polls.overdue += 1;
            self.measures.overdue.took_ms = now_ms - outage.end;
        }
    }

    pub(super) fn accepted(&mut self, token: Token) {
        self.measures.cycles += 1;
        self.useful += u64::from(self.open.remove(&token).is_some());
    }

    /// All of it, once a run has ended.
    pub(super) fn read(&self) -> Measures {
        let overdue = self.jobs.values().map(|polls| polls.overdue);
        let overdue = overdue.filter(|polls| *polls > 0);
        let counted = self.jobs.values().map(|polls| polls.counted);
        let counts = !self.spans.counted.is_empty();
        Measures {
            wasted: self.measures.polls - self.useful,
            overdue: Overdue {
                jobs: overdue.clone().count() as u64,
                polls: overdue.sum(),
                ..self.measures.overdue
            },
            counted: Counted {
                jobs: if counts { self.jobs.len() as u64 } else { 0 },
                fewest: counted.clone().min().unwrap_or(0),
                most: counted.max().unwrap_or(0),
            },
            ..self.measures
        }
    }
}

#[cfg(test)]
mod tests {
    use polling_model::Nonce;

    use super::*;

    fn token(generation: u64) -> Token {
        Token {
            incarnation: Nonce(1),
            generation,
            nonce: Nonce(1),
        }
    }

    #[test]
    fn a_second_poll_of_a_dispatch_and_one_that_is_never_accepted_are_wasted() {
        let (mut meter, job) = (Meter::default(), JobId::new("a").unwrap());
        meter.polled(&job, token(1), 0, 0);
        meter.polled(&job, token(1), 0, 0);
        meter.accepted(token(1));
        meter.polled(&job, token(2), 0, 0);
        meter.accepted(token(3));
        let measures = meter.read();
        assert_eq!(
            (measures.polls, measures.wasted, measures.cycles),
            (3, 2, 2)
        );
    }

    #[test]
    fn the_peak_is_of_any_second() {
        let mut meter = Meter::default();
        for (at_ms, jobs) in [(0, 5), (900, 5), (1_000, 4), (1_899, 3), (2_500, 1)] {
            meter.dispatched(jobs, at_ms);
        }
        let measures = meter.read();
        assert_eq!((measures.dispatched, measures.dispatched_peak), (18, 12));
    }

    #[test]
    fn what_was_due_in_an_outage_is_counted_once_it_is_over() {
        let mut meter = Meter::new(Spans {
            outage: 100..200,
            counted: 300..400,
        });
        let jobs = ["a", "b"].map(|id| JobId::new(id).unwrap());
        for job in &jobs {
            meter.registered(job, 0);
        }
        meter.polled(&jobs[0], token(1), 100, 150);
        meter.polled(&jobs[0], token(2), 199, 250);
        meter.polled(&jobs[1], token(3), 200, 260);
        meter.polled(&jobs[1], token(4), 300, 310);
        let measures = meter.read();
        let overdue = Overdue {
            jobs: 1,
            polls: 1,
            took_ms: 50,
        };
        assert_eq!(measures.overdue, overdue);
        let counted = Counted {
            jobs: 2,
            fewest: 0,
            most: 1,
        };
        assert_eq!(measures.counted, counted);
        assert_eq!(measures.longest_gap_ms, 260);
    }
}
