//! Tokens in this process.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::{
    Attempt, CacheError, CachedToken, CoolDown, Failures, Lease, Stored, TokenCache, TokenKey,
    Version,
};
use crate::{
    ChannelId, ErrorCode, SharedClock,
    auth::{limits, token::millis},
    model::Nonce,
};

/// A [`TokenCache`] in memory: for a channel with one worker whose endpoint can begin anew after a
/// restart, and for tests.
///
/// Bounded: beyond [`limits::MAX_MEMORY_ACCOUNTS`] it takes no further account, since to drop one
/// could drop the only refresh token that its owner has.
pub struct MemoryTokenCache {
    clock: SharedClock,
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accounts: BTreeMap<TokenKey, Account>,
    endpoints: BTreeMap<ChannelId, Endpoint>,
}

#[derive(Default)]
struct Account {
    token: Option<CachedToken>,
    stored_by: Option<Nonce>,
    lease: Option<Held>,
    failures: u32,
    cool_until_ms: i64,
    refused: Option<ErrorCode>,
}

#[derive(Default)]
struct Endpoint {
    failures: u32,
    cool_until_ms: i64,
    /// The one that tries whether it answers again.
    probe: Option<Held>,
}

/// Who holds a lease, and until when.
struct Held {
    owner: Nonce,
    until_ms: i64,
}

impl Held {
    fn left(held: Option<&Self>, now_ms: i64) -> Option<Duration> {
        left(held?.until_ms, now_ms)
    }

    fn release(held: &mut Option<Self>, owner: Nonce) {
        held.take_if(|held| held.owner == owner);
    }
}

fn left(until_ms: i64, now_ms: i64) -> Option<Duration> {
    let left_ms = until_ms.saturating_sub(now_ms);
    (left_ms > 0).then(|| Duration::from_millis(left_ms.unsigned_abs()))
}

impl MemoryTokenCache {
    /// An empty cache whose leases and cool-downs go by `clock`.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            capacity: limits::MAX_MEMORY_ACCOUNTS,
            state: Mutex::default(),
        }
    }

    /// At most so many accounts.
    #[must_use]
    pub fn with_capacity(mut self, accounts: usize) -> Self {
        self.capacity = accounts;
        self
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No change of it can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account's record, made if there is room.
    fn account<'a>(
        &self,
        state: &'a mut State,
        key: &TokenKey,
        step: &'static str,
    ) -> Result<&'a mut Account, CacheError> {
        let now_ms = self.clock.now_ms();
        let is_full = |state: &State| state.accounts.len() >= self.capacity;
        if is_full(state) && !state.accounts.contains_key(key) {
            state.accounts.retain(|_, account| !account.is_idle(now_ms));
            if is_full(state) {
                let full = format!("it holds {} accounts, as many as it may", self.capacity);
                return Err(CacheError::new("in memory", step, full));
            }
        }
        Ok(state.accounts.entry(key.clone()).or_default())
    }
}

impl State {
    /// Ends the endpoint's failures, if `attempt` is the probe: another may have begun before
    /// they did.
    fn endpoint_answered(&mut self, key: &TokenKey, attempt: Attempt) {
        let endpoint = self.endpoints.get(&key.channel);
        let probe = endpoint.and_then(|endpoint| endpoint.probe.as_ref());
        if probe.is_some_and(|probe| probe.owner == attempt.owner) {
            self.endpoints.remove(&key.channel);
        }
    }
}

impl Account {
    fn version(&self) -> Version {
        self.token
            .as_ref()
            .map_or_else(Version::default, |token| token.version)
    }

    /// Whether nothing is lost with it.
    fn is_idle(&self, now_ms: i64) -> bool {
        let remembered_ms = self
            .cool_until_ms
            .saturating_add(millis(limits::FAILURES_KEPT));
        self.token.is_none()
            && Held::left(self.lease.as_ref(), now_ms).is_none()
            && (self.failures == 0 || remembered_ms <= now_ms)
    }

    /// A new version; all that belonged to the old one ends.
    fn replace(&mut self, token: &[u8], stored_by: Option<Nonce>, now_ms: i64) -> Version {
        // By time, so that it grows even after the account was forgotten.
        let now = u64::try_from(now_ms).unwrap_or(0).saturating_mul(1000);
        let version = Version(now.max(self.version().0 + 1));
        let bytes = token.to_vec();
        *self = Self {
            token: Some(CachedToken { version, bytes }),
            stored_by,
            ..Self::default()
        };
        version
    }
}

#[async_trait]
impl TokenCache for MemoryTokenCache {
    async fn read(&self, key: &TokenKey) -> Result<Option<CachedToken>, CacheError> {
        let state = self.lock();
        let account = state.accounts.get(key);
        Ok(account.and_then(|account| account.token.clone()))
    }

    async fn lease(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        life: Duration,
    ) -> Result<Lease, CacheError> {
        let now_ms = self.clock.now_ms();
        let mut state = self.lock();
        let endpoint = state.endpoints.get(&key.channel);
        let failures = endpoint.map_or(0, |endpoint| endpoint.failures);
        let cool_until_ms = endpoint.map_or(0, |endpoint| endpoint.cool_until_ms);
        // A lease that is one's own is granted again: its answer was lost.
        let others = |held: &&Held| held.owner != attempt.owner;
        let probe = endpoint.and_then(|endpoint| endpoint.probe.as_ref());
        let probe = Held::left(probe.filter(others), now_ms);
        let account = self.account(&mut state, key, "lease")?;
        if account.version() != attempt.seen {
            return Ok(Lease::Changed);
        }
        if let Some(left) = left(account.cool_until_ms.max(cool_until_ms), now_ms) {
            // Over when the account's own cool-down is; the endpoint's may last longer.
            let is_refused = account.cool_until_ms > now_ms;
            let refused = account.refused.clone().filter(|_| is_refused);
            return Ok(Lease::Cooling { left, refused });
        }
        let lease = Held::left(account.lease.as_ref().filter(others), now_ms);
        if let Some(left) = lease.or(probe) {
            return Ok(Lease::Busy(left));
        }
        let held = || Held {
            owner: attempt.owner,
            until_ms: now_ms.saturating_add(millis(life)),
        };
        account.lease = Some(held());
        let granted = Lease::Granted(Failures {
            account: account.failures,
            endpoint: failures,
        });
        if let Some(endpoint) = state.endpoints.get_mut(&key.channel) {
            endpoint.probe = Some(held());
        }
        Ok(granted)
    }

    async fn store(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        token: &[u8],
    ) -> Result<Stored, CacheError> {
        let mut state = self.lock();
        state.endpoint_answered(key, attempt);
        let account = self.account(&mut state, key, "store")?;
        if account.version() != attempt.seen {
            Held::release(&mut account.lease, attempt.owner);
            let is_ours = account.stored_by == Some(attempt.owner);
            return Ok(match is_ours {
                true => Stored::As(account.version()),
                false => Stored::Superseded,
            });
        }
        let version = account.replace(token, Some(attempt.owner), self.clock.now_ms());
        Ok(Stored::As(version))
    }

    async fn fail(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        cool_down: CoolDown,
    ) -> Result<(), CacheError> {
        let now_ms = self.clock.now_ms();
        let ends_ms = |cool: Duration| now_ms.saturating_add(millis(cool));
        let mut state = self.lock();
        let account = self.account(&mut state, key, "fail")?;
        Held::release(&mut account.lease, attempt.owner);
        // A token that came meanwhile is not to blame.
        if account.version() == attempt.seen {
            account.failures = cool_down.failures.account.saturating_add(1);
            account.cool_until_ms = ends_ms(cool_down.account);
            account.refused = cool_down.refused;
        }
        let Some(cool) = cool_down.endpoint else {
            state.endpoint_answered(key, attempt);
            return Ok(());
        };
        let endpoint = state.endpoints.entry(key.channel.clone()).or_default();
        Held::release(&mut endpoint.probe, attempt.owner);
        let failures = cool_down.failures.endpoint.saturating_add(1);
        endpoint.failures = endpoint.failures.max(failures);
        endpoint.cool_until_ms = endpoint.cool_until_ms.max(ends_ms(cool));
        Ok(())
    }

    async fn put(&self, key: &TokenKey, token: &[u8]) -> Result<Version, CacheError> {
        let mut state = self.lock();
        let account = self.account(&mut state, key, "put")?;
        Ok(account.replace(token, None, self.clock.now_ms()))
    }

    async fn forget(&self, key: &TokenKey) -> Result<(), CacheError> {
        self.lock().accounts.remove(key);
        Ok(())
    }
}

impl fmt::Debug for MemoryTokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTokenCache")
            .field("accounts", &self.lock().accounts.len())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
