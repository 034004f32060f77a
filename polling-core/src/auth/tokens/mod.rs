//! The token source that refreshes, and shares what it got.

mod builder;
mod config;
mod local;
mod obtain;
mod refresh;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::FutureExt;
use tokio::{sync::Semaphore, time::timeout};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use self::local::{Flight, Held, Local};
pub use self::{
    builder::TokensBuilder,
    config::{TokensConfig, TokensConfigError},
};
use super::{
    AccessToken, FreshToken, SharedTokenCache, TokenEndpoint, TokenKey, TokenSource, Version,
    codec::Codec, endpoint::AnyEndpoint,
};
use crate::{AccountId, ChannelId, Generator, PollError, SharedClock};

/// Access tokens of a channel's accounts: cached, shared by all its workers, refreshed by one of
/// them at a time. Clones share everything.
///
/// - However many ask, in however many workers, one refresh of an account is under way.
/// - It runs on a task of its own: a poll that ends early does not cancel it half-way.
/// - A token that is due is refreshed in the background while it is still good; if that fails it
///   is used to its end.
/// - After a failure the account, and if the endpoint is to blame the whole channel, is left alone
///   for [`TokensConfig::cool_down`]; polls fail meanwhile, and say when to come back.
/// - A fresh token is stored before anybody gets it, so that a rotated refresh token is not lost
///   with the process.
#[derive(Clone)]
pub struct Tokens(Arc<Core>);

struct Core {
    channel: ChannelId,
    endpoint: Box<dyn AnyEndpoint>,
    cache: SharedTokenCache,
    codec: Codec,
    clock: SharedClock,
    generator: Generator,
    config: TokensConfig,
    local: Arc<Local>,
    permits: Semaphore,
    tasks: TaskTracker,
}

impl Tokens {
    /// Tokens of `channel`, refreshed by `endpoint`. Everything else has a default.
    pub fn builder(channel: ChannelId, endpoint: impl TokenEndpoint) -> TokensBuilder {
        TokensBuilder::new(channel, Box::new(endpoint))
    }

    /// Stores a token that came by another way: when a user connects an account, or once more. It
    /// replaces the one before, and ends the account's cool-down.
    ///
    /// # Errors
    ///
    /// `Invalid` for a token that is empty or too long, `Transient` when the cache fails. Its
    /// outcome is unknown then: repeat it.
    pub async fn put(&self, account: &AccountId, fresh: FreshToken) -> Result<(), PollError> {
        let core = &self.0;
        if let Some(flaw) = fresh.flaw() {
            return Err(PollError::invalid(flaw).with_code("token"));
        }
        let key = core.key(account);
        let now_ms = core.clock.now_ms();
        let credentials = fresh.into_credentials(None, core.config.shortest_life, now_ms);
        let bytes = core.codec.encode(&key, &credentials);
        match core.cache.put(&key, &bytes).await {
            Ok(version) => {
                let held = core.held(credentials, version);
                core.local.know(account, held);
                Ok(())
            }
            Err(error) => {
                core.local.forget(account);
                Err(obtain::cache_failed(error))
            }
        }
    }

    /// Removes all that is known of an account, from the cache too: when its owner leaves. Other
    /// workers may use a token that they have at hand until it ends, and a first refresh that is
    /// under way may still store its token.
    ///
    /// # Errors
    ///
    /// `Transient` when the cache fails. Its outcome is unknown then: repeat it.
    pub async fn forget(&self, account: &AccountId) -> Result<(), PollError> {
        let core = &self.0;
        core.local.forget(account);
        let forgotten = core.cache.forget(&core.key(account)).await;
        forgotten.map_err(obtain::cache_failed)
    }

    /// Waits until no refresh is under way and the cache has taken every token, at most for
    /// `grace`. Call it after the worker has ended: a process that exits in the midst of a refresh
    /// may lose the only good refresh token. No refresh begins after that. Returns whether nothing
    /// can be lost any more.
    pub async fn close(&self, grace: Duration) -> bool {
        self.0.tasks.close();
        timeout(grace, self.0.tasks.wait()).await.is_ok()
    }

    /// A token other than `rejected`, from here, from the cache, or from the endpoint.
    async fn ask(
        &self,
        account: &AccountId,
        rejected: Option<Version>,
    ) -> Result<AccessToken, PollError> {
        let core = &self.0;
        let asked = async {
            loop {
                let usable = core.usable(account, rejected);
                if let Some(held) = usable {
                    if held.is_due(core.clock.now_ms()) {
                        // For those who come later; nobody waits for it.
                        drop(self.join(account, rejected));
                    }
                    return Ok(held.access_token());
                }
                let held = self.join(account, rejected).await?;
                if !held.is(rejected) {
                    return Ok(held.access_token());
                }
                // That flight began before the token was refused: the next is our own.
            }
        };
        let answered = timeout(core.config.wait, asked).await;
        answered.unwrap_or_else(|_| {
            // One that was found meanwhile, and that is still being refreshed.
            let usable = core.usable(account, rejected);
            usable
                .map(|held| held.access_token())
                .ok_or_else(|| obtain::waited_too_long(core.config.wait))
        })
    }

    /// The flight that gets the account's token; there is one at a time.
    fn join(&self, account: &AccountId, rejected: Option<Version>) -> Flight {
        self.0.local.flight(account, || {
            let core = Arc::clone(&self.0);
            let account = account.clone();
            let task = async move {
                let _landing = core.local.landing(&account);
                let held = core.obtain_or_keep(&account, rejected).await?;
                core.local.know(&account, held.clone());
                Ok(held)
            };
            let task = tokio::spawn(task.in_current_span());
            let ended = async move { task.await.unwrap_or_else(|_| Err(obtain::stopped())) };
            ended.boxed().shared()
        })
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn get(&self, account: &AccountId) -> Result<AccessToken, PollError> {
        self.ask(account, None).await
    }

    async fn renew(
        &self,
        account: &AccountId,
        rejected: &AccessToken,
    ) -> Result<AccessToken, PollError> {
        self.ask(account, Some(rejected.version())).await
    }
}

impl Core {
    fn key(&self, account: &AccountId) -> TokenKey {
        TokenKey {
            channel: self.channel.clone(),
            account: account.clone(),
        }
    }

    /// A token that this process has and that a call may use.
    fn usable(&self, account: &AccountId, rejected: Option<Version>) -> Option<Held> {
        let now_ms = self.clock.now_ms();
        let known = self.local.known(account)?;
        (!known.is(rejected) && known.credentials.is_usable(now_ms)).then_some(known)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("channel", &self.0.channel)
            .field("cache", &self.0.cache)
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}
