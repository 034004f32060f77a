//! What one process knows: tokens at hand, and who is about to get one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::{BoxFuture, Shared};

use crate::{
    AccountId, PollError,
    auth::{AccessToken, Attempt, CachedToken, Credentials, Version, limits},
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

/// A token that came from the endpoint and that the cache has not taken yet. Its refresh token may
/// be the only one that is still good.
#[derive(Debug, Clone)]
pub(super) struct Unsaved {
    pub(super) attempt: Attempt,
    pub(super) credentials: Credentials,
}

/// Getting one account's token, for all who wait for it.
pub(super) type Flight = Shared<BoxFuture<'static, Result<Held, PollError>>>;

#[derive(Default)]
pub(super) struct Local(Mutex<State>);

#[derive(Default)]
struct State {
    known: BTreeMap<AccountId, Held>,
    flights: BTreeMap<AccountId, Flight>,
    unsaved: BTreeMap<AccountId, Unsaved>,
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
        let mut state = self.lock();
        state.known.remove(account);
        state.unsaved.remove(account);
    }

    pub(super) fn forget_known(&self, account: &AccountId) {
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

    pub(super) fn unsaved(&self, account: &AccountId) -> Option<Unsaved> {
        self.lock().unsaved.get(account).cloned()
    }

    pub(super) fn all_unsaved(&self) -> Vec<(AccountId, Unsaved)> {
        let state = self.lock();
        let unsaved = state.unsaved.iter();
        unsaved
            .map(|(account, unsaved)| (account.clone(), unsaved.clone()))
            .collect()
    }

    pub(super) fn keep_unsaved(&self, account: &AccountId, unsaved: Unsaved) {
        self.lock().unsaved.insert(account.clone(), unsaved);
    }

    pub(super) fn saved(&self, account: &AccountId) {
        self.lock().unsaved.remove(account);
    }

    pub(super) fn has_room_for_unsaved(&self) -> bool {
        self.lock().unsaved.len() < limits::MAX_UNSAVED
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

impl CachedToken {
    /// With what it says, and when to refresh it.
    pub(super) fn held(&self, credentials: Credentials, refresh_at_ms: i64) -> Held {
        Held {
            credentials,
            version: self.version,
            refresh_at_ms,
        }
    }
}
