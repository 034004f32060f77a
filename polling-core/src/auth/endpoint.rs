//! What a channel author writes: how to refresh a token.

use std::{fmt, future::Future, sync::Arc};

use futures_util::future::BoxFuture;

use super::{Credentials, FreshToken, RefreshError};
use crate::AccountId;

/// Asks a channel's token endpoint for a fresh token.
///
/// ```
/// use polling_core::{AccountId, auth::{Credentials, FreshToken, RefreshError, TokenEndpoint, oauth}};
///
/// struct Mastodon {
///     // an HTTP client, the application's id and secret ...
/// }
///
/// impl TokenEndpoint for Mastodon {
///     async fn refresh(
///         &self,
///         account: &AccountId,
///         current: Option<&Credentials>,
///     ) -> Result<FreshToken, RefreshError> {
///         let refresh = current.and_then(|current| current.refresh.as_ref());
///         let Some(refresh) = refresh else {
///             return Err(RefreshError::refused("not_connected"));
///         };
///         // ... POST grant_type=refresh_token with refresh.expose() ...
///         # let _ = (account, refresh);
///         let (status, body) = (200, br#"{"access_token":"a","expires_in":3600}"#);
///         oauth::read_answer(status, body)
///     }
/// }
/// ```
///
/// It is called by one worker of the channel at a time for each account, on a task of its own: the
/// end of the poll that asked does not cancel it. It is cancelled after
/// [`TokensConfig::refresh_timeout`](super::TokensConfig::refresh_timeout); give the HTTP call a
/// timeout below that.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `TokenEndpoint`",
    label = "expected a type that implements `TokenEndpoint`",
    note = "implement `async fn refresh(&self, account: &AccountId, current: Option<&Credentials>) -> Result<FreshToken, RefreshError>`",
    note = "or wrap a function: `endpoint_fn(|account, current| async move {{ ... }})`"
)]
pub trait TokenEndpoint: Send + Sync + 'static {
    /// Gets a fresh token for `account`. `current` is what is kept for it: `None` for an account
    /// that has never had a token here, which then needs one from where the program keeps what
    /// its users granted, or [`Tokens::put`](super::Tokens::put) before.
    fn refresh(
        &self,
        account: &AccountId,
        current: Option<&Credentials>,
    ) -> impl Future<Output = Result<FreshToken, RefreshError>> + Send;
}

impl<E: TokenEndpoint> TokenEndpoint for Arc<E> {
    fn refresh(
        &self,
        account: &AccountId,
        current: Option<&Credentials>,
    ) -> impl Future<Output = Result<FreshToken, RefreshError>> + Send {
        E::refresh(self, account, current)
    }
}

/// An endpoint from an async function.
///
/// ```
/// use polling_core::auth::{FreshToken, endpoint_fn};
///
/// let endpoint = endpoint_fn(|_account, _current| async { Ok(FreshToken::new("for-all")) });
/// ```
pub fn endpoint_fn<F, Fut>(function: F) -> EndpointFn<F>
where
    F: Fn(AccountId, Option<Credentials>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<FreshToken, RefreshError>> + Send,
{
    EndpointFn(function)
}

/// What [`endpoint_fn`] returns.
#[derive(Clone, Copy)]
pub struct EndpointFn<F>(F);

impl<F, Fut> TokenEndpoint for EndpointFn<F>
where
    F: Fn(AccountId, Option<Credentials>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<FreshToken, RefreshError>> + Send,
{
    fn refresh(
        &self,
        account: &AccountId,
        current: Option<&Credentials>,
    ) -> impl Future<Output = Result<FreshToken, RefreshError>> + Send {
        (self.0)(account.clone(), current.cloned())
    }
}

impl<F> fmt::Debug for EndpointFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndpointFn")
    }
}

/// Any endpoint: where its type ends.
pub(super) trait AnyEndpoint: Send + Sync {
    fn refresh<'a>(
        &'a self,
        account: &'a AccountId,
        current: Option<&'a Credentials>,
    ) -> BoxFuture<'a, Result<FreshToken, RefreshError>>;
}

impl<E: TokenEndpoint> AnyEndpoint for E {
    fn refresh<'a>(
        &'a self,
        account: &'a AccountId,
        current: Option<&'a Credentials>,
    ) -> BoxFuture<'a, Result<FreshToken, RefreshError>> {
        Box::pin(TokenEndpoint::refresh(self, account, current))
    }
}
