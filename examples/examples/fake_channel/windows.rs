//! Each account's rate limit: calls per window, the first call of which begins it.

use std::collections::BTreeMap;

/// The windows of all accounts.
#[derive(Debug)]
pub(crate) struct Windows {
    accounts: BTreeMap<u32, Window>,
    limit: u32,
    length_ms: i64,
}

#[derive(Debug, Default)]
struct Window {
    calls: u64,
    end_ms: i64,
    used: u32,
}

/// A call that was counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) rate: Rate,
    /// The account's first call is 1.
    pub(crate) ordinal: u64,
    /// The window was used up before it.
    pub(crate) over: bool,
}

/// What the `X-RateLimit-*` headers say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset_ms: i64,
}

impl Windows {
    /// Of so many accounts, each with `limit` calls in `length_s` seconds.
    pub(crate) fn new(accounts: u32, limit: u32, length_s: u32) -> Self {
        Self {
            accounts: (0..accounts)
                .map(|account| (account, Window::default()))
                .collect(),
            limit,
            length_ms: i64::from(length_s) * 1_000,
        }
    }

    /// Counts a call. `None` if there is no such account.
    pub(crate) fn count(&mut self, account: u32, now_ms: i64) -> Option<Counted> {
        let window = self.accounts.get_mut(&account)?;
        if now_ms >= window.end_ms {
            window.end_ms = now_ms + self.length_ms;
            window.used = 0;
        }
        window.calls += 1;
        let over = window.used >= self.limit;
        window.used = (window.used + 1).min(self.limit);
        Some(Counted {
            rate: Rate {
                limit: self.limit,
                remaining: self.limit - window.used,
                reset_ms: window.end_ms,
            },
            ordinal: window.calls,
            over,
        })
    }
}
