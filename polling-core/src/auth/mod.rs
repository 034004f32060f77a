//! Access tokens of the channel's accounts: you write how to refresh one, the rest is here.
//!
//! ```
//! use polling_core::{PollError, Polled, auth::{FreshToken, TokenSourceExt, Tokens, endpoint_fn}, poller_fn};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // How to refresh: here the token endpoint is called.
//! let endpoint = endpoint_fn(|account, current| async move {
//!     let refresh = current.and_then(|current| current.refresh);
//!     # let _ = (account, refresh);
//!     Ok(FreshToken::new("an access token").with_refresh("the next refresh token"))
//! });
//! let tokens = Tokens::builder("mastodon".parse()?, endpoint).build()?;
//!
//! let poller = poller_fn(move |job| {
//!     let tokens = tokens.clone();
//!     async move {
//!         // A call that fails as `Unauthorized` is made once more, with a fresh token.
//!         let posts: Vec<String> = tokens
//!             .with_token(&job.account, |token| async move {
//!                 // Here the channel is called, with `Bearer {token.expose()}`.
//!                 # let _ = token.expose();
//!                 Ok(vec![])
//!             })
//!             .await?;
//!         # let _ = posts;
//!         Ok(Polled::new(job.context.clone()))
//!     }
//! });
//! # let _ = poller;
//! # Ok(())
//! # }
//! ```
//!
//! That keeps tokens in the process. A channel with several workers shares them in a Redis of its
//! own: `.cache(Arc::new(RedisTokenCache::open(url)?))`, with the feature `auth-redis`; and
//! `.sealed(keyring)` encrypts them there, with `auth-sealed`.
//!
//! # What holds
//!
//! | if | then |
//! |---|---|
//! | 50 workers ask for an expired token | one calls the endpoint, the others wait for its token |
//! | the token is due, not expired | one worker refreshes it in the background; meanwhile all use it on |
//! | the channel answers 401 | [`with_token`](TokenSourceExt::with_token) refreshes and calls once more; if another worker has refreshed meanwhile, its token is taken |
//! | the endpoint fails | at most one call in [`TokensConfig::cool_down`], of all workers and for all accounts of the channel; calls under way when it began to fail end as they end |
//! | it refuses an account for good | `Unauthorized`, without a call, for [`TokensConfig::refused_cool_down`] or until [`Tokens::put`] |
//! | a worker dies while it refreshes | the others wait for [`TokensConfig::lease`], then refresh |
//! | a refresh takes longer than its lease, and another is faster | the slow one's token is dropped |
//! | the cache is away | each poll that needs it ends as `Transient` in [`TokensConfig::wait`] at most; tokens at hand are used on |
//! | workers' clocks differ | leases and cool-downs go by the cache's; a token's end by each worker's, so that beyond [`limits::LAST_USE`] it may cost a refused call, or a refresh too early |
//!
//! # Rotating refresh tokens
//!
//! Where each refresh spends its refresh token, a token that was spent and lost locks the account
//! out until its owner connects it anew. What happens at each crash:
//!
//! | crash or failure | what is lost |
//! |---|---|
//! | before the endpoint was called | nothing |
//! | the poll is cancelled or times out | nothing: the refresh runs on a task of its own |
//! | the process is told to end | nothing, if [`Tokens::close`] says so |
//! | the process dies, the network fails, or the endpoint takes longer than [`TokensConfig::refresh_timeout`], after it spent the token and before its answer is stored | the account, unless the channel lets a refresh token be used again for a while; no client can prevent that |
//! | the cache fails while the answer is stored | nothing, as long as the process lives: it keeps the token, gives it to nobody, and stores it as soon as the cache takes it. Beyond [`TokensConfig::lease`] another worker may try the spent token meanwhile, and be refused |
//! | the cache loses its last writes (a failover) | as if they had not been made: the account, if its token was refreshed just then |
//!
//! So the Redis of a channel with such tokens is a database, not a cache: with persistence, and
//! `maxmemory-policy noeviction`.

mod cache;
mod codec;
mod endpoint;
pub mod limits;
pub mod oauth;
mod refresh_error;
#[cfg(feature = "auth-sealed")]
mod sealed;
mod secret;
mod source;
mod token;
mod tokens;

#[cfg(feature = "auth-redis")]
pub use self::cache::RedisTokenCache;
#[cfg(feature = "test-util")]
pub use self::cache::conformance;
#[cfg(feature = "auth-sealed")]
pub use self::sealed::{KEY_LEN, Keyring, MAX_KEY_ID_LEN, MAX_KEYS, SealError};
pub use self::{
    cache::{
        Attempt, CacheError, CachedToken, CoolDown, Failures, Lease, MemoryTokenCache,
        SharedTokenCache, Stored, TokenCache, TokenKey, Version,
    },
    endpoint::{EndpointFn, TokenEndpoint, endpoint_fn},
    refresh_error::{RefreshError, RefreshErrorKind},
    secret::Secret,
    source::{SharedTokenSource, StaticToken, TokenSource, TokenSourceExt},
    token::{AccessToken, Credentials, FreshToken},
    tokens::{Tokens, TokensBuilder, TokensConfig, TokensConfigError},
};

/// Runs the fences of the page.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/how-to/tokens.md")]
struct HowTo;
