//! A policy spends calls on a trace.

use crate::{
    MINUTE_MS,
    trace::{Trace, slot},
};

/// How many calls there are, and what one brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// With as many calls everybody could be polled once in so many minutes. Above 0.
    pub every_min: f64,
    /// Items that one poll brings at most, the newest; older ones are lost. At least 1.
    pub page: usize,
}

/// Chooses whom to poll.
pub trait Policy {
    /// At most `calls` different accounts, to be polled at the end of this minute.
    fn choose(&mut self, minute: i64, calls: usize) -> Vec<usize>;

    /// What one of them brought: when its items appeared, oldest first.
    fn polled(&mut self, minute: i64, account: usize, items_ms: &[i64]);
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// How long each item waited that was not lost, in no order.
    pub delays_min: Vec<f64>,
    /// Whose items those were.
    pub accounts: Vec<usize>,
    /// Items pushed off their page before anybody polled it, by account.
    pub lost: Vec<usize>,
    /// Polls that found their page full and more before it.
    pub full: usize,
    /// Polls.
    pub calls: usize,
}

/// Replays a trace: at the end of each minute the policy may poll as many accounts as the budget
/// has calls. A part of a call is kept for the next minute, at most one whole call. What is unseen
/// at the end is delivered then.
pub fn replay(trace: &Trace, policy: &mut (impl Policy + ?Sized), budget: Budget) -> Outcome {
    let (first, last) = trace.minutes();
    let per_minute = trace.accounts.len() as f64 / budget.every_min;
    let mut run = Run::new(trace, budget.page);
    let mut credit = 0.0_f64;
    for minute in first.max(1)..=last {
        credit = (credit + per_minute).min(per_minute + 1.0);
        let calls = (credit as usize).min(trace.accounts.len());
        if calls == 0 {
            continue;
        }
        let chosen = policy.choose(minute, calls);
        debug_assert!(chosen.len() <= calls);
        credit -= chosen.len() as f64;
        run.outcome.calls += chosen.len();
        for account in chosen {
            policy.polled(minute, account, run.poll(account, minute));
        }
    }
    for account in 0..trace.accounts.len() {
        run.poll(account, last);
    }
    run.outcome
}

struct Run<'a> {
    trace: &'a Trace,
    page: usize,
    /// Items of each account that were seen or lost.
    gone: Vec<usize>,
    outcome: Outcome,
}

impl<'a> Run<'a> {
    fn new(trace: &'a Trace, page: usize) -> Self {
        let none = vec![0; trace.accounts.len()];
        let outcome = Outcome {
            lost: none.clone(),
            ..Outcome::default()
        };
        Self {
            trace,
            page,
            gone: none,
            outcome,
        }
    }

    fn poll(&mut self, account: usize, minute: i64) -> &'a [i64] {
        let unseen = &self.trace.accounts[account][self.gone[account]..];
        let there = unseen.partition_point(|item| slot(*item) <= minute);
        let (lost, seen) = unseen[..there].split_at(there.saturating_sub(self.page));
        self.gone[account] += there;
        self.outcome.lost[account] += lost.len();
        self.outcome.full += usize::from(!lost.is_empty());
        for item in seen {
            let delay_ms = minute * MINUTE_MS - item;
            self.outcome
                .delays_min
                .push(delay_ms as f64 / MINUTE_MS as f64);
            self.outcome.accounts.push(account);
        }
        seen
    }
}
