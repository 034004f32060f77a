//! What one process knows: tokens at hand, and who is about to get one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::{BoxFuture, Shared};

use crate::{
    AccountId, PollError,
    auth::{AccessToken, Credentials, Version, limits},
};

/// A token with its version, and when to refresh it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) credentials: Credentials,
    pub(super) version: Version,
    pub(super) refresh_at_ms: i64,
}

impl Held {
    pub(super) fn is_due(&self, now_ms: i64) -> bool {
        now_ms >= self.refresh_at_ms
    }

    pub(super) fn is(&self, version: Option<Version>) -> bool {
        version == Some(self.version)
    }

    pub(super) fn access_token(&self) -> AccessToken {
        AccessToken::new(self.credentials.access.clone(), self.version)
    }
}

/// Getting one account's token, for all who wait for it.
pub(super) type Flight = Shared<BoxFuture<'static, Result<Held, PollError>>>;

#[derive(Default)]
pub(super) struct Local(Mutex<State>);

#[derive(Default)]
struct State {
    known: BTreeMap<AccountId, Held>,
    flights: BTreeMap<AccountId, Flight>,
}

impl Local {
    pub(super) fn known(&self, account: &AccountId) -> Option<Held> {
        self.lock().known.get(account).cloned()
    }

    /// Keeps `held` at hand, unless a newer one came while it was being read.
    pub(super) fn know(&self, account: &AccountId, held: Held) {
        let known = &mut self.lock().known;
        if known
            .get(account)
            .is_some_and(|before| before.version > held.version)
        {
            return;
        }
        if known.len() >= limits::MAX_KNOWN && !known.contains_key(account) {
            // The cache has it still.
            known.pop_first();
        }
        known.insert(account.clone(), held);
    }

    pub(super) fn forget(&self, account: &AccountId) {
        self.lock().known.remove(account);
    }

    /// The flight of `account` that is under way, or else the one that `start` starts.
    pub(super) fn flight(&self, account: &AccountId, start: impl FnOnce() -> Flight) -> Flight {
        let flights = &mut self.lock().flights;
        flights.entry(account.clone()).or_insert_with(start).clone()
    }

    /// Ends the flight of `account` when dropped, however it ended.
    pub(super) fn landing(self: &Arc<Self>, account: &AccountId) -> Landing {
        Landing {
            local: Arc::clone(self),
            account: account.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No change of it can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Local::landing`].
pub(super) struct Landing {
    local: Arc<Local>,
    account: AccountId,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.local.lock().flights.remove(&self.account);
    }
}
