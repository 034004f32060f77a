//! From an endpoint to a token source.

use std::{fmt, sync::Arc};

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::{Core, Local, Tokens, TokensConfig, TokensConfigError};
#[cfg(feature = "auth-sealed")]
use crate::auth::Keyring;
use crate::{
    ChannelId, Generator, SharedClock, SystemClock,
    auth::{MemoryTokenCache, SharedTokenCache, codec::Codec, endpoint::AnyEndpoint},
};

/// Options of [`Tokens`].
#[must_use = "nothing is built before build()"]
pub struct TokensBuilder {
    channel: ChannelId,
    endpoint: Box<dyn AnyEndpoint>,
    cache: Option<SharedTokenCache>,
    codec: Codec,
    clock: SharedClock,
    generator: Generator,
    config: TokensConfig,
}

impl TokensBuilder {
    pub(super) fn new(channel: ChannelId, endpoint: Box<dyn AnyEndpoint>) -> Self {
        Self {
            channel,
            endpoint,
            cache: None,
            codec: Codec::default(),
            clock: Arc::new(SystemClock),
            generator: Generator::from_os(),
            config: TokensConfig::default(),
        }
    }

    /// Where the workers of the channel share their tokens. By default in the memory of this
    /// process: for one worker, and for grants that the endpoint can get anew.
    pub fn cache(mut self, cache: SharedTokenCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Encrypts what the cache gets. By default whoever reads the cache reads the tokens.
    #[cfg(feature = "auth-sealed")]
    pub fn sealed(mut self, keyring: Keyring) -> Self {
        self.codec = Codec::Sealed(keyring);
        self
    }

    /// By which tokens expire: the machine's by default.
    pub fn clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// For jitter, and for the names under which leases are held: each worker needs a seed of its
    /// own. Seeded by the operating system by default.
    pub fn generator(mut self, generator: Generator) -> Self {
        self.generator = generator;
        self
    }

    /// Times and bounds.
    pub fn config(mut self, config: TokensConfig) -> Self {
        self.config = config;
        self
    }

    /// Checks the settings; calls nothing yet.
    ///
    /// # Errors
    ///
    /// [`TokensConfigError`] for the first setting that cannot work.
    pub fn build(self) -> Result<Tokens, TokensConfigError> {
        self.config.check()?;
        let in_memory = || Arc::new(MemoryTokenCache::new(Arc::clone(&self.clock))) as _;
        Ok(Tokens(Arc::new(Core {
            cache: self.cache.unwrap_or_else(in_memory),
            channel: self.channel,
            endpoint: self.endpoint,
            codec: self.codec,
            clock: self.clock,
            generator: self.generator,
            local: Arc::new(Local::default()),
            permits: Semaphore::new(self.config.concurrency.min(Semaphore::MAX_PERMITS)),
            config: self.config,
            tasks: TaskTracker::new(),
        })))
    }
}

impl fmt::Debug for TokensBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokensBuilder")
            .field("channel", &self.channel)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
