//! Where tokens are kept, and who may refresh one: the port and its adapters.

#[cfg(feature = "test-util")]
pub mod conformance;
mod memory;
#[cfg(feature = "auth-redis")]
mod redis;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

pub use self::memory::MemoryTokenCache;
#[cfg(feature = "auth-redis")]
pub use self::redis::RedisTokenCache;
use crate::{AccountId, BoxError, ChannelId, ErrorCode, model::Nonce};

/// What the workers of a channel share about their tokens.
///
/// Per account a cache holds a token with its version, at most one lease to refresh it, and a
/// cool-down after failures; and per channel how its token endpoint fares. Each method is one
/// atomic step. Time is the cache's own, so that workers whose clocks differ agree.
///
/// The rules, which [`conformance`](crate::auth::conformance) checks (feature `test-util`):
///
/// - A version is never given twice to an account, and grows.
/// - A lease is granted to one attempt at a time, and only to one that has seen the newest version.
///   It ends with [`store`](Self::store), [`fail`](Self::fail) or after its life.
/// - Whoever stores must have seen the version that is still the newest: a slow refresh overwrites
///   nothing. Its lease may have ended; as long as nobody else was faster, its token is the only
///   good one.
/// - While an account or the endpoint cools down no lease is granted. After the endpoint failed,
///   one lease in the whole channel is granted at a time, until a refresh succeeds.
///
/// An error is an unknown outcome: the step may have been done.
#[async_trait]
pub trait TokenCache: Send + Sync + fmt::Debug {
    /// The newest token, if there is one.
    async fn read(&self, key: &TokenKey) -> Result<Option<CachedToken>, CacheError>;

    /// Asks for the right to refresh, for `life`. To repeat it grants it again.
    async fn lease(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        life: Duration,
    ) -> Result<Lease, CacheError>;

    /// Replaces the token that `attempt` has seen, which ends lease, failures and cool-downs. To
    /// repeat it changes nothing.
    async fn store(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        token: &[u8],
    ) -> Result<Stored, CacheError>;

    /// Ends the lease of `attempt` without a token, and begins the cool-downs.
    async fn fail(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        cool_down: CoolDown,
    ) -> Result<(), CacheError>;

    /// Replaces whatever is there, lease, failures and the account's cool-down included.
    async fn put(&self, key: &TokenKey, token: &[u8]) -> Result<Version, CacheError>;

    /// Removes all that is known of the account.
    async fn forget(&self, key: &TokenKey) -> Result<(), CacheError>;
}

/// A cache that many tasks share.
pub type SharedTokenCache = Arc<dyn TokenCache>;

/// Whose token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenKey {
    /// The channel; its accounts share one token endpoint.
    pub channel: ChannelId,
    /// The account at the channel.
    pub account: AccountId,
}

impl fmt::Display for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "account {} of channel {}", self.account, self.channel)
    }
}

/// Tells an account's tokens apart, and orders them. 0 stands for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64);

/// A token as it is kept: readable or sealed, the cache does not look into it.
#[derive(Clone, PartialEq, Eq)]
pub struct CachedToken {
    /// Which of the account's.
    pub version: Version,
    /// The token.
    pub bytes: Vec<u8>,
}

/// Without the token.
impl fmt::Debug for CachedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedToken")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// One attempt to refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The newest version that it knows.
    pub seen: Version,
    /// Random per attempt.
    pub owner: Nonce,
}

/// The answer to the wish to refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// Refresh now. This is how often it failed before.
    Granted(Failures),
    /// There is another version by now.
    Changed,
    /// Another worker refreshes, or tries out the endpoint; its lease ends after this time.
    Busy(Duration),
    /// Not before this time has passed.
    Cooling {
        /// How long still.
        left: Duration,
        /// With which code the account was refused for good, if it was.
        refused: Option<ErrorCode>,
    },
}

/// Refreshes that failed in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    /// Of the account.
    pub account: u32,
    /// Of the channel's token endpoint, whatever the account.
    pub endpoint: u32,
}

/// How long to leave the endpoint alone after a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoolDown {
    /// What the lease said; each cool-down that follows counts one more.
    pub failures: Failures,
    /// For this account.
    pub account: Duration,
    /// For all accounts, if the endpoint is to blame.
    pub endpoint: Option<Duration>,
    /// The code with which the account was refused for good.
    pub refused: Option<ErrorCode>,
}

/// What became of a fresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is the newest, with this version.
    As(Version),
    /// Another was faster. It is not kept.
    Superseded,
}

/// A cache that did not do as asked; whether the step was done is unknown.
#[derive(Debug, thiserror::Error)]
#[error("token cache {cache} did not {step}")]
#[non_exhaustive]
pub struct CacheError {
    /// Which cache: the address, without credentials.
    pub cache: String,
    /// Which step: `read`, `lease`, `store`, `fail`, `put`, `forget`.
    pub step: &'static str,
    /// What happened.
    #[source]
    pub source: BoxError,
}

impl CacheError {
    /// The error of `step` at `cache`.
    pub fn new(cache: impl Into<String>, step: &'static str, source: impl Into<BoxError>) -> Self {
        Self {
            cache: cache.into(),
            step,
            source: source.into(),
        }
    }
}
