//! What pollers ask for tokens.

use std::{future::Future, sync::Arc};

use async_trait::async_trait;

use super::{AccessToken, Secret, Version};
use crate::{AccountId, ErrorClass, PollError};

/// Gives access tokens. [`Tokens`](super::Tokens) is the one to use; [`StaticToken`] has but one
/// token, for tests and for channels whose keys never change.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token for calls on behalf of `account`.
    ///
    /// # Errors
    ///
    /// A [`PollError`] to return from the poll as it is: `Unauthorized` when only the account's
    /// owner can help, otherwise what is likely to pass.
    async fn get(&self, account: &AccountId) -> Result<AccessToken, PollError>;

    /// A token other than `rejected`, which the channel has just refused. Refreshes only if nobody
    /// else has done so meanwhile.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and `Unauthorized` when there is none other to be had.
    async fn renew(
        &self,
        account: &AccountId,
        rejected: &AccessToken,
    ) -> Result<AccessToken, PollError>;
}

/// A source that many pollers share.
pub type SharedTokenSource = Arc<dyn TokenSource>;

/// What every [`TokenSource`] can do.
pub trait TokenSourceExt: TokenSource {
    /// Calls the channel with a token of `account`; if that fails as `Unauthorized`, once more with
    /// a fresh one.
    ///
    /// ```
    /// use polling_core::{PollError, auth::{StaticToken, TokenSourceExt}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tokens = StaticToken::new("s3cret");
    /// let account = "42".parse()?;
    /// let posts = tokens.with_token(&account, |token| async move {
    ///     // ... GET with `Authorization: Bearer {token.expose()}`; a 401 becomes:
    ///     if token.expose() != "s3cret" {
    ///         return Err(PollError::unauthorized("HTTP status 401"));
    ///     }
    ///     Ok(vec!["post"])
    /// });
    /// assert_eq!(posts.await?, ["post"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What the last call failed with, or why there was no token for it; with it the rate limits
    /// that the refused call reported, and whether a call was made at all.
    fn with_token<T, F, Fut>(
        &self,
        account: &AccountId,
        mut call: F,
    ) -> impl Future<Output = Result<T, PollError>> + Send
    where
        T: Send,
        F: FnMut(AccessToken) -> Fut + Send,
        Fut: Future<Output = Result<T, PollError>> + Send,
    {
        async move {
            // Without a token the channel is not called.
            let token = self.get(account).await;
            let token = token.map_err(|error| error.with_calls(0))?;
            let refusal = match call(token.clone()).await {
                Err(error) if error.class() == ErrorClass::Unauthorized => error,
                answered => return answered,
            };
            let fresh = self.renew(account, &token).await;
            let fresh = fresh.map_err(|error| told_by(error, &refusal))?;
            call(fresh).await
        }
    }
}

impl<S: TokenSource + ?Sized> TokenSourceExt for S {}

/// With the rate limits and the calls of the refused call.
fn told_by(error: PollError, refusal: &PollError) -> PollError {
    let allowances = refusal.allowances().iter().cloned();
    let error = allowances.fold(error, PollError::with_allowance);
    error.with_calls(refusal.calls())
}

/// One token for all accounts, for as long as the program runs.
#[derive(Debug, Clone)]
pub struct StaticToken(AccessToken);

impl StaticToken {
    /// Gives `secret` to whoever asks.
    #[must_use]
    pub fn new(secret: impl Into<Secret>) -> Self {
        Self(AccessToken::new(secret, Version(1)))
    }
}

#[async_trait]
impl TokenSource for StaticToken {
    async fn get(&self, _: &AccountId) -> Result<AccessToken, PollError> {
        Ok(self.0.clone())
    }

    async fn renew(&self, _: &AccountId, _: &AccessToken) -> Result<AccessToken, PollError> {
        Err(
            PollError::unauthorized("the channel refused the only token there is")
                .with_code("token_rejected"),
        )
    }
}

#[async_trait]
impl<S: TokenSource + ?Sized> TokenSource for Arc<S> {
    async fn get(&self, account: &AccountId) -> Result<AccessToken, PollError> {
        S::get(self, account).await
    }

    async fn renew(
        &self,
        account: &AccountId,
        rejected: &AccessToken,
    ) -> Result<AccessToken, PollError> {
        S::renew(self, account, rejected).await
    }
}
