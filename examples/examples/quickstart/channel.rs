//! A simulated channel: an API with pages, latency, a rate limit per account and errors of every
//! class. It keeps a record of what it gave out, for the count at the end.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use polling_core::{AccountId, Allowance, Generator, PollError, ScopeKey, SharedClock};

use crate::accounts::{Account, Post};

/// Posts per page.
pub(crate) const PAGE: usize = 40;

/// Calls per window and account, shared with other products.
const LIMIT: u64 = 9;

/// Length of a rate-limit window.
const WINDOW_MS: i64 = 10_000;

/// A page of posts.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) posts: Vec<Post>,
    pub(crate) more: bool,
    pub(crate) allowance: Allowance,
}

/// The channel, shared by all calls.
#[derive(Debug)]
pub(crate) struct Channel {
    clock: SharedClock,
    generator: Generator,
    accounts: Mutex<BTreeMap<AccountId, State>>,
}

#[derive(Debug)]
struct State {
    account: Account,
    gone: bool,
    window: i64,
    calls: u64,
    newest_given: i64,
}

impl Channel {
    pub(crate) fn new(accounts: &[AccountId], seed: u64, clock: SharedClock) -> Self {
        let generator = Generator::from_seed(seed);
        let now_ms = clock.now_ms();
        let state = |id: &AccountId| {
            let account = Account::new(generator.next_u64(), now_ms);
            // One account in a hundred was deleted.
            let gone = generator.below(100) == 0;
            (
                id.clone(),
                State {
                    account,
                    gone,
                    window: 0,
                    calls: 0,
                    newest_given: 0,
                },
            )
        };
        let accounts = Mutex::new(accounts.iter().map(state).collect());
        Self {
            clock,
            generator,
            accounts,
        }
    }

    /// The API's one call: posts newer than `since_id`, oldest first.
    pub(crate) async fn posts(
        &self,
        account: &AccountId,
        since_id: i64,
    ) -> Result<Page, PollError> {
        tokio::time::sleep(Duration::from_millis(2 + self.generator.below(30))).await;
        if let Some(error) = self.accident() {
            return Err(error);
        }
        let now_ms = self.clock.now_ms();
        let mut accounts = self.accounts();
        let Some(state) = accounts.get_mut(account).filter(|state| !state.gone) else {
            return Err(PollError::gone("404: no such account"));
        };
        state.others_call(self.generator.below(3), now_ms);
        let allowance = state.call(account, now_ms)?;
        let (posts, more) = state.account.since(since_id, PAGE, now_ms);
        if let Some(newest) = posts.last() {
            state.newest_given = state.newest_given.max(newest.id);
        }
        Ok(Page {
            posts,
            more,
            allowance,
        })
    }

    /// The newest post given out of each account; all before it were given, too.
    pub(crate) fn given(&self) -> BTreeMap<AccountId, i64> {
        self.accounts()
            .iter()
            .map(|(id, state)| (id.clone(), state.newest_given))
            .collect()
    }

    /// What goes wrong at random.
    fn accident(&self) -> Option<PollError> {
        match self.generator.below(1000) {
            0..=9 => Some(PollError::transient("503: try again")),
            10..=12 => Some(PollError::unauthorized("401: token expired")),
            13..=14 => Some(PollError::invalid("the answer was cut off in the middle")),
            15..=16 => Some(PollError::interrupted("the connection is being drained")),
            _ => None,
        }
    }

    fn accounts(&self) -> MutexGuard<'_, BTreeMap<AccountId, State>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Other products spend from the same limit.
    fn others_call(&mut self, calls: u64, now_ms: i64) {
        let window = now_ms / WINDOW_MS;
        if window != self.window {
            (self.window, self.calls) = (window, 0);
        }
        self.calls = (self.calls + calls).min(LIMIT);
    }

    /// Counts a call against the limit.
    fn call(&mut self, account: &AccountId, now_ms: i64) -> Result<Allowance, PollError> {
        let reset_at_ms = (self.window + 1) * WINDOW_MS;
        let scope = ScopeKey::new(format!("account:{account}"))
            .map_err(|error| PollError::invalid(error.to_string()))?;
        let allowance = |remaining| Allowance {
            limit: Some(LIMIT),
            remaining: Some(remaining),
            reset_at_ms: Some(reset_at_ms),
            window_ms: Some(WINDOW_MS),
            ..Allowance::of(scope)
        };
        if self.calls == LIMIT {
            let wait = Duration::from_millis((reset_at_ms - now_ms).unsigned_abs());
            return Err(PollError::rate_limited("429")
                .with_retry_after(wait)
                .with_allowance(allowance(0)));
        }
        self.calls += 1;
        Ok(allowance(LIMIT - self.calls))
    }
}
